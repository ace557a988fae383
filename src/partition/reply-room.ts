import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { CallMessage, Reply } from "../object/message.ts";
import type { TurnPlan } from "./turns/turn.ts";

const FULL = "the responses of the batch fill its answer";

/**
 * The room that the answer to a batch has left for responses, in characters ([HTTP7]). The first one that does not fit
 * closes it, also for shorter ones: which calls ran is then easy to say.
 */
export class ReplyRoom {
  #left: number;
  #closed = false;

  constructor(characters: number) {
    this.#left = characters;
  }

  /** The answer has left: what comes now leaves by itself. */
  leave(): void {
    this.#closed = false;
    this.#left = Number.POSITIVE_INFINITY;
  }

  /** Before a call runs. @throws EdgeverseError `OVERLOADED` when the room is closed */
  check(): void {
    if (this.#closed) throw new EdgeverseError("OVERLOADED", `Not run: ${FULL}; send the call in another batch`);
  }

  /** A turn that does not begin when the room is closed, and rolls back when its response does not fit. */
  guard(plan: TurnPlan): TurnPlan {
    return {
      ...plan,
      run: (instance) => {
        this.check();
        return plan.run(instance);
      },
      encode: (value, turn) => {
        const response = plan.encode(value, turn) as string;
        if (this.#takes(response.length)) return response;
        throw new EdgeverseError("OVERLOADED", `Rolled back: ${FULL}; send the call in another batch`);
      },
    };
  }

  /** What can leave of a reply whose room was not taken before its turn ended: that of a reliable call, or an error. */
  fit(reply: Reply, { reliable }: CallMessage): Reply {
    if (reply.kind === "response" && reliable !== undefined && !this.#takes(reply.response.length)) {
      const error = new EdgeverseError("OVERLOADED", `The call has run, but ${FULL}; repeat it for its outcome`, {
        details: { callId: reliable.callId, status: "success" },
      });
      return { kind: "error", error: error.toWire() };
    }
    if (reply.kind !== "error" || reply.error.details === undefined) return reply;
    if (this.#takes(JSON.stringify(reply.error.details).length)) return reply;
    return { ...reply, error: { ...reply.error, details: { omitted: FULL } } };
  }

  #takes(characters: number): boolean {
    if (this.#closed || characters > this.#left) {
      this.#closed = true;
      return false;
    }
    this.#left -= characters;
    return true;
  }
}
