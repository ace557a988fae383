import { readMeta, writeMeta } from "../platform/meta.ts";
import type { VersionedDocument } from "../settings/document.ts";
import type { GateState } from "../settings/gate-states.ts";
import { KeptSettings } from "../settings/kept-settings.ts";
import type { Confirmation } from "../settings/live-settings.ts";
import { SettingsFollower } from "../settings/settings-follower.ts";
import type { GateOptions } from "./gate-options.ts";

/** The settings of a gate: kept in its database, and taken from the coordinator ([CONF4]). */
export class GateSettings {
  readonly #options: GateOptions;
  readonly #kept: KeptSettings | undefined;
  readonly #name: string;

  /** A gate that has none may be newer than they are: it asks. */
  constructor(options: GateOptions, name: string) {
    this.#name = name;
    const { settings, storage, clock, askSettings } = options;
    this.#options = options;
    if (settings === undefined) return;
    const kept = new KeptSettings(settings, {
      read: () => readMeta(storage, "settings"),
      write: (text) => writeMeta(storage, "settings", text),
    });
    kept.restore();
    this.#kept = kept;
    if (settings.seen > 0 || askSettings === undefined) return;
    const take = (offer: VersionedDocument) => kept.take(offer);
    new SettingsFollower({ clock, seen: () => settings.seen, ask: askSettings, take }).served();
  }

  /** What operators say of this gate ([PUSH14]). */
  get state(): GateState {
    return this.#options.settings?.gateState(this.#name) ?? "active";
  }

  /** Takes settings if they are newer; resolves when they are durable. */
  async take(offer: VersionedDocument): Promise<Confirmation> {
    if (this.#kept === undefined) throw new Error("this gate takes no settings");
    const confirmation = this.#kept.take(offer);
    await this.#options.storage.barrier();
    return confirmation;
  }
}
