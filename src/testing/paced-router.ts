import { EdgeverseError, type WireError } from "../errors/edgeverse-error.ts";
import type { CallMessage, FinalReply, LifecycleMessage } from "../object/message.ts";
import type { Clock } from "../platform/ports.ts";
import type { Router } from "../router/router.ts";
import { ManualClock } from "./clocks.ts";

/** Ms of a manual clock that a call may take before it waits for the test to move the clock. */
const PATIENCE = 1_000;

/**
 * A router that lets a manual clock go on while a call is under way, and gives errors that are the cluster's own fault their
 * cause: a test should show where a method threw.
 */
export class PacedRouter implements Pick<Router, "call" | "lifecycle"> {
  readonly #router: Router;
  readonly #clock: Clock;
  /** What was thrown first, by the request that led to it. */
  readonly #causes = new Map<string, unknown>();
  readonly #stopped = Promise.withResolvers<undefined>();

  constructor(router: Router, clock: Clock) {
    this.#router = router;
    this.#clock = clock;
  }

  call(message: CallMessage): Promise<FinalReply> {
    return this.#answer(message.requestId, this.#router.call(message));
  }

  lifecycle(message: LifecycleMessage): Promise<FinalReply> {
    return this.#answer(message.requestId, this.#router.lifecycle(message));
  }

  /** A method threw what was not meant for its caller. */
  threw(requestId: string, thrown: unknown): void {
    if (!this.#causes.has(requestId)) this.#causes.set(requestId, thrown);
  }

  /** Calls that are under way are never answered. */
  stop(): void {
    this.#stopped.resolve(undefined);
  }

  async #answer(requestId: string, answer: Promise<FinalReply>): Promise<FinalReply> {
    const reply = await this.#paced(Promise.race([answer, this.#stopped.promise]));
    if (reply === undefined) return new Promise(() => undefined);
    if (reply.kind !== "error" || reply.error.code !== "INTERNAL" || !this.#causes.has(requestId)) return reply;
    const error = new EdgeverseError("INTERNAL", reply.error.message, { cause: this.#causes.get(requestId) });
    return { ...reply, error: error as Partial<EdgeverseError> as WireError };
  }

  async #paced<T>(work: Promise<T>): Promise<T> {
    if (!(this.#clock instanceof ManualClock)) return work;
    await this.#clock.advance(1);
    return this.#clock.until(work, PATIENCE);
  }
}
