import { CLOSE } from "./close-codes.ts";
import type { Connection } from "./connection.ts";
import type { Wire } from "./ports.ts";

/** Ms after which a silent client is taken for gone. */
const DEAD_AFTER = 100_000;
/** Ms between two looks for clients that take nothing, roughly. */
const LOOK_EVERY = 110_000;

export const EXPIRED = "the credentials have expired";

/** Which connections a gate ends when it is woken, and why. */
export class Patrol {
  readonly #readsNothing: (connection: Connection) => boolean;
  #lookedAt: number;

  constructor(now: number, readsNothing: (connection: Connection) => boolean) {
    this.#readsNothing = readsNothing;
    this.#lookedAt = now;
  }

  *ending(connections: Iterable<readonly [Wire, Connection]>, now: number): Generator<[Wire, number, string]> {
    // A gate is woken for other things too: a client that was just behind would seem to stand still.
    const look = now - this.#lookedAt >= LOOK_EVERY;
    if (look) this.#lookedAt = now;
    for (const [wire, connection] of connections) {
      if (connection.isOver(now)) yield [wire, CLOSE.expired, EXPIRED];
      else if ((wire.heardAt ?? now) < now - DEAD_AFTER) yield [wire, CLOSE.silent, "nothing was heard"];
      else if (look) {
        const stalled = connection.stalled || this.#readsNothing(connection);
        connection.stalled = connection.behind !== undefined;
        if (stalled) yield [wire, CLOSE.silent, "nothing was acknowledged"];
      }
    }
  }
}
