import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CallMessage, FinalReply, LifecycleMessage } from "../../object/message.ts";
import { pause } from "../../platform/pause.ts";
import { RemoteObjects } from "../../router/remote-objects.ts";
import type { Clients } from "./clients.ts";
import type { Random } from "./random.ts";
import { storedObjects } from "./stored-objects.ts";
import { Violation } from "./violation.ts";
import type { Workload, WorkloadAnswer, WorkloadClient } from "./workload.ts";
import type { World } from "./world.ts";

/** How often a reliable call is sent, and ms between. */
const MOST_TRIES = 60;
const TRY_AGAIN = 1_000;
/** Ms that a call of the check may take. */
const CHECK_WITHIN = 20_000;
/** The part of all events after which an auditor looks. */
const AUDITED = 0.1;

/** Makes an author's calls and keeps what came of them. */
export class WorkloadRun {
  readonly #workload: Workload;
  readonly #clients: Clients;
  readonly #random: Random;
  readonly #answers: WorkloadAnswer<unknown>[] = [];
  readonly #instants: Random;
  #begun = 0;
  #requests = 0;
  #mistake: string | undefined;

  constructor(workload: Workload, clients: Clients, random: Random) {
    this.#workload = workload;
    this.#clients = clients;
    this.#random = random;
    this.#instants = random.fork("audit");
  }

  begin(n: number, edge: number): void {
    this.#begun++;
    void this.#answer(n, edge).then((answer) => this.#answers.push(answer));
  }

  /** Lets the author's auditor look, at some instants. @throws Violation when it finds something */
  audit(world: World): void {
    const { audit } = this.#workload;
    if (audit === undefined || !this.#instants.chance(AUDITED)) return;
    try {
      audit.call(this.#workload, storedObjects(world, this.#clients.edge(0).registry));
    } catch (error) {
      throw new Violation(`the workload's auditor: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @throws Violation when a call makes a mistake, or the author's check throws or does not end */
  async check(run: (ms: number) => Promise<void>): Promise<void> {
    const waiting = () => this.#answers.length < this.#begun;
    for (let round = 0; round < 200 && waiting(); round++) await run(TRY_AGAIN);
    if (waiting()) throw new Violation("a call of the workload was never answered");
    if (this.#mistake !== undefined) throw new Violation(this.#mistake);
    const answers = this.#answers.sort((left, right) => left.n - right.n);
    let over = false;
    let trouble: unknown;
    Promise.resolve()
      .then(() => this.#workload.check?.({ ...this.#client(0, CHECK_WITHIN), answers }))
      .catch((error: unknown) => {
        trouble = error ?? new Error("the check failed");
      })
      .finally(() => {
        over = true;
      });
    for (let round = 0; round < 1_000 && !over; round++) await run(100);
    if (!over) throw new Violation("the workload's check does not end");
    if (trouble !== undefined)
      throw new Violation(`the workload's check: ${trouble instanceof Error ? trouble.message : trouble}`);
  }

  async #answer(n: number, edge: number): Promise<WorkloadAnswer<unknown>> {
    const sleep = (ms: number) => pause(this.#clients.edge(edge).process.clock, ms);
    const random = this.#random.fork(`call ${n}`);
    try {
      return { n, answer: await this.#workload.call({ ...this.#client(edge), n, random, sleep }) };
    } catch (error) {
      if (!(error instanceof EdgeverseError)) {
        this.#mistake ??= `call ${n} of the workload threw ${error instanceof Error ? error.stack : error}`;
      }
      return { n, error: EdgeverseError.from(error) };
    }
  }

  /** @param timeout ms a call may take unless told; default: as configured */
  #client(edge: number, timeout?: number): WorkloadClient {
    const { process, registry, config } = this.#clients.edge(edge);
    const objects = new RemoteObjects({
      registry,
      config: timeout === undefined ? config : { ...config, callTimeout: timeout },
      clock: process.clock,
      random: { uuid: () => `w${this.#requests++}` },
      caller: "worker",
      router: {
        call: (message) => this.#send(message, edge),
        lifecycle: (message: LifecycleMessage) => this.#clients.edge(edge).router.lifecycle(message),
      },
    });
    return {
      object: (type, id, options) => objects.stub(type, id, options),
      create: (type, id, ...parameters) => objects.create(type, id, ...parameters),
    };
  }

  /** Sends a reliable call until it has its outcome, as a good client does. */
  async #send(message: CallMessage, edge: number): Promise<FinalReply> {
    const timeout = message.deadline - this.#now(edge);
    for (let tries = 1; ; tries++) {
      const reply = await this.#clients.edge(edge).router.call({ ...message, deadline: this.#now(edge) + timeout });
      const again = reply.kind === "error" && reply.error.retryable && message.reliable !== undefined;
      if (!again || tries === MOST_TRIES) return reply;
      await pause(this.#clients.edge(edge).process.clock, TRY_AGAIN);
    }
  }

  #now(edge: number): number {
    return this.#clients.edge(edge).process.clock.now();
  }
}
