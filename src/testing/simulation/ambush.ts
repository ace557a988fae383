import type { Random } from "./random.ts";

/** What befalls a message: where a protocol is weak is before and after each of its steps. */
export type AmbushDeed =
  | "lost"
  | "answer lost"
  | "late"
  | "twice"
  | "sender ends"
  | "receiver ends"
  | "receiver replaced"
  | "answered, then ends";

/** Waits for a message and strikes once. */
export interface Ambush {
  readonly method: string;
  readonly deed: AmbushDeed;
  /** How many such messages are let through before. */
  readonly spares: number;
}

/** Messages of the steps of a move and of a reshard, of which each may be lost, late or repeated. */
const METHODS: Readonly<Record<string, number>> = {
  advance: 2,
  undo: 2,
  inquire: 1,
  transfer: 4,
  activate: 3,
  drop: 2,
  reshard: 1,
  report: 0.5,
  call: 1,
  write: 0.5,
};

const DEEDS: Readonly<Record<AmbushDeed, number>> = {
  lost: 1,
  "answer lost": 2,
  late: 3,
  twice: 2,
  "sender ends": 2,
  "receiver ends": 2,
  "receiver replaced": 1,
  "answered, then ends": 4,
};

export function ambushOf(random: Random): Ambush {
  return { method: random.weighted(METHODS), deed: random.weighted(DEEDS), spares: random.pick([0, 0, 0, 1, 2, 4]) };
}

/** The ambushes that are laid. */
export class Ambushes {
  #laid: { readonly ambush: Ambush; spares: number }[] = [];

  lay(ambush: Ambush): void {
    this.#laid.push({ ambush, spares: ambush.spares });
  }

  clear(): void {
    this.#laid = [];
  }

  /** What befalls the next message of this kind. */
  strike(method: string): AmbushDeed | undefined {
    const place = this.#laid.findIndex(({ ambush }) => ambush.method === method);
    const found = this.#laid[place];
    if (found === undefined || found.spares-- > 0) return undefined;
    this.#laid.splice(place, 1);
    return found.ambush.deed;
  }
}
