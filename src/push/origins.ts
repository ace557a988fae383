import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { GateCounters } from "../observe/gate-counters.ts";
import type { Wire } from "./ports.ts";
import type { SessionTable } from "./session-table.ts";

interface Parts {
  readonly config: { readonly clientConnections: number };
  readonly sessions: SessionTable;
  readonly counters: GateCounters;
}

/** How many connections of a gate come from one client, which may have many sessions: by its identity, else its address ([PUSH9]). */
export class Origins {
  readonly #parts: Parts;
  readonly #origins = new Map<Wire, string>();
  readonly #counts = new Map<string, number>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Whether another may come from there.
   * @param client who it says it is
   * @throws EdgeverseError `OVERLOADED`
   */
  check(origin: string | undefined, client: string): void {
    if (origin === undefined) return;
    const { config, sessions, counters } = this.#parts;
    const count = this.#counts.get(origin) ?? 0;
    if (count < config.clientConnections) return;
    // Who comes back takes the place of a connection of which nobody knows yet that it is broken.
    if (count < config.clientConnections * 2 && sessions.get(client) !== undefined) return;
    counters.add("refused");
    throw new EdgeverseError("OVERLOADED", `A client may have ${config.clientConnections} connections to a gate`, {
      retryAfter: 30,
    });
  }

  add(wire: Wire): void {
    const { origin } = wire;
    if (origin === undefined) return;
    this.#origins.set(wire, origin);
    this.#counts.set(origin, (this.#counts.get(origin) ?? 0) + 1);
  }

  /** It has ended. It may be told more than once. */
  remove(wire: Wire): void {
    const origin = this.#origins.get(wire);
    if (origin === undefined) return;
    this.#origins.delete(wire);
    const left = (this.#counts.get(origin) ?? 0) - 1;
    if (left > 0) this.#counts.set(origin, left);
    else this.#counts.delete(origin);
  }
}
