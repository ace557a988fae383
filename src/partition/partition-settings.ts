import type { Limits } from "../limits/limits-schema.ts";
import { readMeta, writeMeta } from "../platform/meta.ts";
import type { Told } from "../router/ports.ts";
import type { VersionedDocument } from "../settings/document.ts";
import { KeptSettings } from "../settings/kept-settings.ts";
import type { Confirmation, LiveSettings, ProcessSettings } from "../settings/live-settings.ts";
import { SettingsFollower } from "../settings/settings-follower.ts";
import type { PartitionOptions } from "./options.ts";

/** The settings of a partition: kept with its objects, and taken from whoever has newer ones ([CONF4]). */
export class PartitionSettings {
  readonly live: LiveSettings;
  readonly #options: PartitionOptions;
  readonly #bootstrapped: () => boolean;
  readonly #kept: KeptSettings;
  readonly #follower: SettingsFollower;
  /** What came before it belonged to a cluster: it may have been asked for then, and come older. */
  #early: VersionedDocument | undefined;
  #restored = false;

  /** @param bootstrapped whether it belongs to a cluster by now, and has its tables */
  constructor(options: PartitionOptions, bootstrapped: () => boolean) {
    const { settings: live, storage, clock, bootstrapper } = options;
    this.live = live;
    this.#options = options;
    this.#bootstrapped = bootstrapped;
    this.#kept = new KeptSettings(live, {
      read: () => readMeta(storage, "settings"),
      write: (text) => writeMeta(storage, "settings", text),
    });
    this.#follower = new SettingsFollower({
      clock,
      seen: () => live.seen,
      ask: bootstrapper.settings ?? (async () => null),
      take: (offer) => this.take(offer),
    });
  }

  /** Calls back with the limits of now, when they may have changed. @param code those of the code, which a document is laid over */
  onLimits(code: Limits, apply: (limits: Limits) => void): void {
    this.live.onChange(() => apply(this.live.limitsOver(code)));
  }

  /** What it goes by; before it belongs to a cluster, what it would begin with. */
  view(): ProcessSettings {
    if (this.#early === undefined) return this.live.view();
    const beginning = this.live.fork();
    beginning.apply(this.#early);
    return beginning.view();
  }

  /** It has its tables: goes on with what the process before it had. */
  start(): void {
    if (this.#restored) return;
    this.#restored = true;
    this.#kept.restore();
    this.#tellFault();
  }

  /** It belongs to a cluster from now on; in the event of the commit that says so. */
  join(settings: VersionedDocument | undefined): void {
    this.start();
    for (const offer of [settings, this.#early]) if (offer !== undefined) this.#kept.take(offer);
    this.#early = undefined;
    this.#tellFault();
  }

  /** Takes settings if they are newer; resolves when they are durable. */
  async take(offer: VersionedDocument): Promise<Confirmation> {
    // Being told of settings is no reason to become part of a cluster.
    if (!this.#bootstrapped()) return this.#remember(offer);
    this.start();
    const { seen } = this.live;
    const confirmation = this.#kept.take(offer);
    if (confirmation.seen > seen) this.#tellFault();
    await this.#options.storage.barrier();
    return confirmation;
  }

  /** Tells a caller that has seen less of newer settings, and looks for them if it has seen more. */
  told<Answer extends object>(known: number | undefined, answer: Promise<Answer>): Promise<Told<Answer>> {
    const { seen } = this.live;
    if (known === undefined || known === seen) return answer;
    if (known < seen) return answer.then((reply) => ({ ...reply, settings: seen }));
    this.#follower.heard(known);
    return answer;
  }

  #remember(offer: VersionedDocument): Confirmation {
    if (offer.version > (this.#early?.version ?? 0)) this.#early = offer;
    const fault = this.live.faultOf(offer.document);
    const seen = this.#early?.version ?? 0;
    return fault === undefined ? { seen, version: seen } : { seen, version: 0, fault };
  }

  #tellFault(): void {
    const { fault, seen, version } = this.live.confirmation;
    if (fault !== undefined) this.#options.observer.warn("the settings can't be used here", { fault, seen, version });
  }
}
