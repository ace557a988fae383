import type { Clock } from "../platform/ports.ts";
import type { VersionedDocument } from "./document.ts";
import type { LiveSettings } from "./live-settings.ts";

/** Asks the coordinator for a document newer than this one; null: there is none. */
export type AskSettings = (known: number) => Promise<VersionedDocument | null>;

interface Parts {
  readonly clock: Clock;
  /** The greatest number that this process has seen. */
  readonly seen: () => number;
  readonly ask: AskSettings;
  readonly take: (offer: VersionedDocument) => unknown;
  /** Lets work go on that nobody waits for. */
  readonly background?: (work: Promise<void>) => void;
}

/** Ms between two questions, and after which an answer of a partition is no sign any more that there is nothing newer. */
const ASK_EVERY = 2_000;
const SIGN_LASTS = 5_000;

/**
 * How a process learns that there is a newer document, beside being told: from what others say of theirs. It asks only when
 * somebody has a greater number, or when a request was served and nobody has said anything for a while; so nobody asks while
 * nobody calls ([MEM2]).
 */
export class SettingsFollower {
  readonly #parts: Parts;
  #askedAt = Number.NEGATIVE_INFINITY;
  #signAt = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get seen(): number {
    return this.#parts.seen();
  }

  /** A partition has answered. @param newer what it has seen, if that is greater than what we sent */
  answered(newer: number | undefined): void {
    if (newer === undefined) this.#signAt = this.#parts.clock.now();
    else this.heard(newer);
  }

  /** Somebody has seen this number. */
  heard(version: number): void {
    if (version > this.seen) this.#ask();
  }

  /** A request was served. */
  served(): void {
    if (this.#parts.clock.now() - this.#signAt >= SIGN_LASTS) this.#ask();
  }

  #ask(): void {
    const { clock, ask, take, background } = this.#parts;
    const now = clock.now();
    // By time, not until the answer: where nobody waits for it, it may never come.
    if (now - this.#askedAt < ASK_EVERY) return;
    this.#askedAt = now;
    const work = ask(this.seen).then(async (offer) => {
      this.#signAt = clock.now();
      if (offer !== null) await take(offer);
    });
    // Whoever calls next asks again.
    const done = work.catch(() => undefined);
    background?.(done);
  }
}

/** Follows for the settings of a process that keeps them in memory alone. @param onFault hears why they can't be used */
export function followerOf(
  live: LiveSettings,
  parts: Pick<Parts, "clock" | "ask" | "background"> & { readonly onFault?: (fault: string, version: number) => void },
): SettingsFollower {
  const take = (offer: VersionedDocument) => {
    const { fault } = live.apply(offer);
    if (fault !== undefined) parts.onFault?.(fault, offer.version);
  };
  return new SettingsFollower({ ...parts, seen: () => live.seen, take });
}
