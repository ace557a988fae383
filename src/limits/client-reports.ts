import { fnv1a32 } from "../identity/fnv1a.ts";
import type { RefusalCounts } from "../observe/refusal-counters.ts";
import { pause } from "../platform/pause.ts";
import type { Clock } from "../platform/ports.ts";
import { within } from "../platform/within.ts";
import type { ClientDebts, ClientReport } from "./client-report.ts";
import type { ReadyLimit } from "./limit-set.ts";

/** Ms between two reports to one keeper. */
const INTERVAL = 1_000;
/** Ms that a keeper may take to answer. */
const WITHIN = 2_000;
/** Reports that follow one another in the background of one request. */
const ROUNDS = 5;
/** Ms after which a background that has said nothing is taken for ended. */
const LOST = 30_000;
/** Clients in one report; the others wait for the next. */
const MOST = 4_000;
/** Clients that wait to be reported to one keeper. What others use is never reported. */
const MOST_WAITING = 16_000;

export interface ReportParts {
  readonly clock: Clock;
  /** The partitions, by name: each client has one of them as its keeper. */
  readonly keepers: () => readonly string[];
  readonly report: (keeper: string, report: ClientReport) => Promise<ClientDebts>;
  /** Lets work go on after the answer that it began with. */
  readonly background: (work: Promise<void>) => void;
  /** What a client owes at all routers together, and what it has used here since it was asked. */
  readonly learn: (limit: ReadyLimit, client: string, debt: number, since: number) => void;
}

/** Tokens used by client, for each limit. */
type Used = Map<ReadyLimit, Map<string, number>>;

interface Waiting {
  used: Used;
  clients: number;
  refused: Map<string, number>;
  /** When the background that will report it began; undefined when there is none. */
  since: number | undefined;
}

/**
 * Tells keepers what clients have used here, in the background: once a second at most to each, and nothing while nobody calls.
 * A report that fails is dropped: until a keeper answers, budgets here count alone.
 */
export class ClientReports {
  readonly #parts: ReportParts;
  readonly #waiting = new Map<string, Waiting>();

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  /** @param used tokens; 0 when the client was refused, and only what it owes is to be asked */
  note(limit: ReadyLimit, client: string, used: number): void {
    const keeper = this.#keeper(client);
    if (keeper === undefined) return;
    const waiting = this.#of(keeper);
    if (used === 0) waiting.refused.set(limit.name, (waiting.refused.get(limit.name) ?? 0) + 1);
    let clients = waiting.used.get(limit);
    if (clients === undefined) {
      clients = new Map();
      waiting.used.set(limit, clients);
    }
    const before = clients.get(client);
    if (before === undefined && ++waiting.clients > MOST_WAITING) {
      waiting.clients--;
      return;
    }
    clients.set(client, (before ?? 0) + used);
    const now = this.#parts.clock.now();
    if (waiting.since !== undefined && Math.abs(now - waiting.since) < LOST) return;
    waiting.since = now;
    this.#parts.background(this.#run(keeper, waiting, now));
  }

  #keeper(client: string): string | undefined {
    const names = this.#parts.keepers();
    return names[fnv1a32(client) % names.length];
  }

  #of(keeper: string): Waiting {
    let waiting = this.#waiting.get(keeper);
    if (waiting === undefined) {
      waiting = { used: new Map(), clients: 0, refused: new Map(), since: undefined };
      this.#waiting.set(keeper, waiting);
    }
    return waiting;
  }

  async #run(keeper: string, waiting: Waiting, began: number): Promise<void> {
    const { clock } = this.#parts;
    for (let round = 0; round < ROUNDS && waiting.clients > 0; round++) {
      await pause(clock, INTERVAL);
      // Another has begun, because this one was taken for ended.
      if (waiting.since !== began) return;
      await this.#send(keeper, waiting).catch(() => undefined);
    }
    if (waiting.since === began) waiting.since = undefined;
  }

  async #send(keeper: string, waiting: Waiting): Promise<void> {
    const { clock, report, learn } = this.#parts;
    const { used, refused } = this.#take(waiting);
    const limits = Array.from(used, ([{ name, rate, burst }, clients]) => ({
      name,
      rate,
      burst,
      clients: [...clients.keys()],
      used: [...clients.values()],
    }));
    const late = () => new Error("the keeper did not answer in time");
    const debts = await within(clock, WITHIN, report(keeper, { limits, refused }), late);
    for (const [at, [limit, clients]] of [...used].entries()) {
      for (const [place, client] of [...clients.keys()].entries()) {
        const debt = debts[at]?.[place];
        if (debt !== undefined) learn(limit, client, debt, waiting.used.get(limit)?.get(client) ?? 0);
      }
    }
  }

  /** As much of what waits as a report has. */
  #take(waiting: Waiting): { readonly used: Used; readonly refused: RefusalCounts } {
    const refused = Object.fromEntries(waiting.refused);
    waiting.refused = new Map();
    const { used } = waiting;
    if (waiting.clients <= MOST) {
      waiting.used = new Map();
      waiting.clients = 0;
      return { used, refused };
    }
    const first: Used = new Map();
    let left = MOST;
    for (const [limit, clients] of used) {
      const some = new Map<string, number>();
      first.set(limit, some);
      for (const [client, tokens] of clients) {
        if (left-- <= 0) break;
        some.set(client, tokens);
        clients.delete(client);
        waiting.clients--;
      }
      if (left <= 0) break;
    }
    return { used: first, refused };
  }
}
