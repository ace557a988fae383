import type { ObjectClass } from "../../object/virtual-object.ts";
import type { FinalReply } from "../../router/router.ts";
import type { Clients } from "./clients.ts";
import type { Sleep } from "./ledger.ts";
import type { Random } from "./random.ts";
import { Violation } from "./violation.ts";

/** A call of an author's workload. */
export interface WorkloadCall {
  readonly type: string;
  readonly id: string;
  readonly method: string;
  readonly request?: unknown;
  /** Makes the call reliable: it is repeated with this id until it has an outcome. */
  readonly callId?: string;
  /** Ms until its deadline; default 3,000. */
  readonly timeout?: number;
}

/** What came of a call: its response, or the code it failed with. Undefined while nobody has answered. */
export interface WorkloadAnswer {
  readonly call: WorkloadCall;
  readonly response?: unknown;
  readonly code?: string;
}

/**
 * An author's own objects under the simulation: what they are, what is called, and what must be true of it in the end.
 *
 * @example
 * const { ok, violation } = await simulate({
 *   seed: 1,
 *   workload: {
 *     objects: () => [Counter],
 *     calls: 40,
 *     call: (random, n) => ({ type: "Counter", id: random.pick(["a", "b"]), method: "add", request: { by: 1 }, callId: `c${n}` }),
 *     async check(ask, answers) {
 *       const added = answers.filter(({ code }) => code === undefined).length;
 *       const [a, b] = [await ask("Counter", "a", "get"), await ask("Counter", "b", "get")] as { value: number }[];
 *       if (a.value + b.value !== added) throw new Error("a call was lost, or ran twice");
 *     },
 *   },
 * });
 */
export interface Workload {
  /** The classes, made anew for each process. `sleep` lets simulated time pass in a method. */
  readonly objects: (sleep: Sleep) => readonly ObjectClass[];
  readonly calls: number;
  /** The n-th call, from 0. What is random must come from `random`, or a seed would tell another story each time. */
  readonly call: (random: Random, n: number) => WorkloadCall;
  /** After the end of all trouble; throws what is wrong. `ask` calls an object and gives its response. */
  readonly check?: (ask: Ask, answers: readonly WorkloadAnswer[]) => Promise<void> | void;
}

export type Ask = (type: string, id: string, method: string, request?: unknown) => Promise<unknown>;

/** How often a reliable call is repeated, and ms between. */
const MOST_TRIES = 60;
const TRY_AGAIN = 1_000;

/** Makes an author's calls and keeps what came of them. */
export class WorkloadRun {
  readonly #workload: Workload;
  readonly #clients: Clients;
  readonly #calls: readonly WorkloadCall[];
  readonly #answers = new Map<number, WorkloadAnswer>();
  readonly #begun = new Set<number>();

  constructor(workload: Workload, clients: Clients, random: Random) {
    this.#workload = workload;
    this.#clients = clients;
    this.#calls = Array.from({ length: workload.calls }, (_, n) => workload.call(random, n));
  }

  /** Whether a call that was begun has no answer yet. */
  get waiting(): boolean {
    return this.#answers.size < this.#begun.size;
  }

  begin(n: number, edge: number): void {
    this.#begun.add(n);
    void this.#try(n, edge, 1);
  }

  /** @throws Violation when the author's check throws or does not end */
  async check(run: (ms: number) => Promise<void>): Promise<void> {
    for (let round = 0; round < 200 && this.waiting; round++) await run(TRY_AGAIN);
    if (this.waiting) throw new Violation("a call of the workload was never answered");
    const answers = [...this.#answers].sort(([left], [right]) => left - right).map(([, answer]) => answer);
    let over = false;
    let trouble: unknown;
    const ask: Ask = async (type, id, method, request) => {
      const reply = await this.#clients.ask({ type, id, method, request, timeout: 20_000 }, 0);
      if (reply.kind === "response") return JSON.parse(reply.response);
      throw new Error(`${type}/${id} ${method}: ${reply.kind === "error" ? reply.error.message : reply.kind}`);
    };
    Promise.resolve()
      .then(() => this.#workload.check?.(ask, answers))
      .catch((error: unknown) => {
        trouble = error ?? new Error("the check failed");
      })
      .finally(() => {
        over = true;
      });
    for (let round = 0; round < 1_000 && !over; round++) await run(100);
    if (!over) throw new Violation("the workload's check does not end");
    if (trouble !== undefined) throw new Violation(trouble instanceof Error ? trouble.message : String(trouble));
  }

  async #try(n: number, edge: number, tries: number): Promise<void> {
    const call = this.#calls[n] as WorkloadCall;
    const reply: FinalReply = await this.#clients.ask(call, edge);
    const again = reply.kind === "error" && reply.error.retryable && call.callId !== undefined && tries < MOST_TRIES;
    if (again) {
      this.#clients.edge(edge).process.clock.after(TRY_AGAIN, () => void this.#try(n, edge, tries + 1));
      return;
    }
    if (reply.kind === "response") this.#answers.set(n, { call, response: JSON.parse(reply.response) });
    else this.#answers.set(n, { call, code: reply.kind === "error" ? reply.error.code : reply.kind });
  }
}
