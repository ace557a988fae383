import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { Failed, Reply } from "../../object/message.ts";
import { isFinal } from "../../reliable/call-record.ts";
import type { LogGate } from "../../reliable/log-gate.ts";
import type { StoredCall } from "../storage/stored-call.ts";
import type { TurnActivation } from "../turns/turn.ts";
import { loggedLater, outcomeReply } from "./call-replies.ts";
import type { ReliableCallParts } from "./reliable-call-parts.ts";

/** Answers from calls that have ended or are parked, when they may leave. */
export class CallAnswers {
  readonly #parts: ReliableCallParts;

  constructor(parts: ReliableCallParts) {
    this.#parts = parts;
  }

  /** The answer of a call whose outcome has become durable. That of a `write-ahead` call waits for the log ([CALL6]). */
  ofEnded(stored: StoredCall): Reply | Promise<Reply> {
    this.#parts.table.countEnded(stored.record);
    const reply = outcomeReply(stored.record);
    return this.waits(stored) ? this.#notLogged(stored).then((failed) => failed ?? reply) : reply;
  }

  /** A stored outcome leaves like any reply: after a storage access, with all that was published before it durable. */
  async again(stored: StoredCall, activation: TurnActivation): Promise<Reply> {
    if (isFinal(stored.record.status)) this.#parts.table.counters.count("replayed");
    if (!this.waits(stored)) return this.afterCommit(activation, { ...outcomeReply(stored.record), replayed: true });
    const failed = await this.#notLogged(stored);
    if (failed !== undefined) return failed;
    this.#parts.table.logged(stored);
    return this.afterCommit(activation, { ...outcomeReply(stored.record), replayed: true });
  }

  /** Whether the outcome may not be told before the log has it. */
  waits({ logged, record }: StoredCall): boolean {
    return !logged && isFinal(record.status) && this.#parts.gate !== undefined;
  }

  async afterCommit(activation: TurnActivation, reply: Reply): Promise<Reply> {
    try {
      await this.#parts.commit.durable(activation);
      return reply;
    } catch (error) {
      return { kind: "error", error: EdgeverseError.from(error).toWire() };
    }
  }

  /** Writes the outcome to the log; the answer if it can't. The outcome itself stands. */
  async #notLogged({ record }: StoredCall): Promise<Failed | undefined> {
    try {
      await (this.#parts.gate as LogGate).write(record);
      return undefined;
    } catch (error) {
      return loggedLater(record, EdgeverseError.from(error));
    }
  }
}
