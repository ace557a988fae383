import type { FinalReply } from "../../router/router.ts";
import type { Clients } from "./clients.ts";
import type { Random } from "./random.ts";
import { Violation } from "./violation.ts";
import type { Ask, Workload, WorkloadAnswer, WorkloadCall } from "./workload.ts";

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
