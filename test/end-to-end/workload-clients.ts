import { setTimeout as sleep } from "node:timers/promises";
import { EdgeverseError, type ObjectClass, type Stub } from "edgeverse";
import type { Workload, WorkloadAnswer, WorkloadClient } from "edgeverse/testing";
import type { Random } from "../../src/testing/simulation/random.ts";

/**
 * Clients that live a workload of the simulation on a real host, over HTTP. They send every call until it has an outcome, so
 * all of its calls must be reliable, or readonly.
 */
export class WorkloadClients<Answer> {
  readonly #workload: Workload<Answer>;
  readonly #client: WorkloadClient;
  readonly #random: Random;
  readonly #answers: WorkloadAnswer<Answer>[] = [];
  #begun = 0;
  #over = false;
  #running: Promise<void>[] = [];

  constructor(workload: Workload<Answer>, url: string, random: Random) {
    this.#workload = workload;
    this.#client = clientOf(url);
    this.#random = random;
  }

  start(clients: number): void {
    this.#running = Array.from({ length: clients }, () => this.#run());
  }

  get answered(): number {
    return this.#answers.length;
  }

  /** Lets every call under way get its answer. */
  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#running);
  }

  async check(): Promise<void> {
    await this.#workload.check?.({ ...this.#client, answers: this.#answers.sort((one, other) => one.n - other.n) });
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      const n = this.#begun++;
      const random = this.#random.fork(`call ${n}`);
      try {
        const answer = await this.#workload.call({ ...this.#client, n, random, sleep: (ms) => sleep(ms) });
        this.#answers.push({ n, answer });
      } catch (error) {
        if (!(error instanceof EdgeverseError)) throw error;
        this.#answers.push({ n, error });
      }
    }
  }
}

function clientOf(url: string): WorkloadClient {
  return {
    object<Class extends ObjectClass>(type: Class, id: string, { callId }: { callId?: string } = {}) {
      const headers: Record<string, string> = callId === undefined ? {} : { "idempotency-key": callId };
      const call = (method: string, request: unknown) =>
        send(`${url}/api/v1/objects/call/${type.type}/${id}/${method}`, { headers, body: JSON.stringify({ request }) });
      const methods = Object.keys(type.methods).map((method) => [method, (request?: unknown) => call(method, request)]);
      return Object.fromEntries(methods) as Stub<Class>;
    },
    create: () => Promise.reject(new Error("nobody creates objects here")),
  };
}

async function send(url: string, call: RequestInit): Promise<unknown> {
  for (let pause = 10; ; pause = Math.min(500, pause * 2)) {
    const answer = await fetch(url, { method: "POST", ...call, signal: AbortSignal.timeout(10_000) }).catch(
      () => undefined,
    );
    const body = (await answer?.json().catch(() => undefined)) as
      | { response?: unknown; retryable?: boolean }
      | undefined;
    if (answer?.status === 200 && body !== undefined) return body.response;
    if (answer !== undefined && answer.status < 500 && body?.retryable === false) throw errorOf(body);
    await sleep(pause);
  }
}

function errorOf(problem: object): EdgeverseError {
  return EdgeverseError.from({ message: "detail" in problem ? problem.detail : "", ...problem });
}
