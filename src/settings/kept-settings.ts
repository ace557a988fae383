import type { VersionedDocument } from "./document.ts";
import type { Confirmation, LiveSettings } from "./live-settings.ts";

/** Where a process keeps a text that outlasts it. */
export interface Keeper {
  read(): string | undefined;
  write(text: string): void;
}

/** What is kept: what the process went by last, and the newest if it did not fit. */
interface Kept {
  readonly applied: VersionedDocument;
  readonly offered?: VersionedDocument;
}

/** The settings of a process that starts again from its database: a partition or a gate. */
export class KeptSettings {
  readonly #live: LiveSettings;
  readonly #keeper: Keeper;

  constructor(live: LiveSettings, keeper: Keeper) {
    this.#live = live;
    this.#keeper = keeper;
  }

  /** Goes on with what is kept. What did not fit may fit now: the process may have other code. */
  restore(): void {
    const text = this.#keeper.read();
    if (text === undefined) return;
    const { applied, offered } = JSON.parse(text) as Kept;
    this.#live.restore(applied);
    if (offered === undefined) return;
    const { fault } = this.#live.apply(offered);
    if (fault === undefined) this.#keep({ applied: offered });
  }

  /** Keeps a newer document, and goes by it if it fits. Nobody may hear of it before it is durable. */
  take(offer: VersionedDocument): Confirmation {
    if (offer.version <= this.#live.seen) return this.#live.confirmation;
    const fits = this.#live.faultOf(offer.document) === undefined;
    // Kept before it counts: what could not be kept was never seen, and is sent again.
    this.#keep(fits ? { applied: offer } : { applied: this.#live.applied, offered: offer });
    return this.#live.apply(offer);
  }

  #keep(kept: Kept): void {
    this.#keeper.write(JSON.stringify(kept));
  }
}
