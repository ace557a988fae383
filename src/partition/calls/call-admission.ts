import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CallMessage, ReliableOptions } from "../../object/message.ts";
import type { LogPolicy } from "../../object/method.ts";
import type { MethodDefinition } from "../../object/registry.ts";
import { checkCallIdAge } from "../../reliable/call-id.ts";
import { fingerprint } from "../../reliable/fingerprint.ts";
import { isLocal } from "../../reliable/local-log.ts";
import { deadlockError } from "../turns/deadlock.ts";
import type { TurnActivation } from "../turns/turn.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { ReliableCallParts } from "./reliable-call-parts.ts";

/**
 * Whether one more call may be taken: what a partition owes is bounded by number, and by its bytes on the disk.
 * @param owed it was taken before, and had to wait: then it can't have run, however old its id is
 * @returns the call's log policy
 * @throws EdgeverseError `EXPIRED_CALL_ID`, `OVERLOADED`, `LOG_UNAVAILABLE`
 */
export function checkAdmission(
  { config, engine, gate, table, now }: ReliableCallParts,
  open: OpenCalls,
  message: CallMessage,
  activation: TurnActivation,
  method: MethodDefinition,
  owed = false,
): LogPolicy {
  const options = message.reliable as NonNullable<CallMessage["reliable"]>;
  if (!owed) checkCallIdAge(options.callId, now(), activation.definition.retention ?? config.retention);
  engine.checkRoom(activation);
  // A call that an open call waits for must be taken, or neither ends.
  const share = message.chain !== undefined && message.chain.length > 0 ? 2 : 1;
  if (open.size >= config.partitionMailbox * share) {
    throw new EdgeverseError("OVERLOADED", `${open.size} reliable calls are pending in this partition`, {
      retryAfter: 1,
    });
  }
  const backlog = gate === undefined ? 0 : table.backlog.size.bytes;
  if (open.bytes + backlog >= config.logBacklog * share) {
    const what = backlog > open.bytes ? "outcomes that wait for the log" : "pending calls";
    const code = backlog > open.bytes ? "LOG_UNAVAILABLE" : "OVERLOADED";
    throw new EdgeverseError(code, `The partition has too many bytes of ${what}`, { retryAfter: 5 });
  }
  return logPolicy(gate, options, method);
}

/** @throws EdgeverseError `LOG_UNAVAILABLE` when there is no log to write to */
export function logPolicy(
  gate: ReliableCallParts["gate"],
  options: Pick<ReliableOptions, "log">,
  method: MethodDefinition,
): LogPolicy {
  const log = options.log ?? method.log;
  if (log === "write-ahead" && gate === undefined) {
    throw isLocal("a write-ahead call must be in another database before it runs");
  }
  return log;
}

/**
 * [TURN7] A turn would wait for ever for a reliable call of an object that itself waits for the turn: calls of an object run
 * in order, so the one in front is tried again and again. Final, so that the queues go on.
 * @throws EdgeverseError `DEADLOCK`
 */
export function checkCycle({ engine }: ReliableCallParts, { chain }: CallMessage, activation: TurnActivation): void {
  if (chain === undefined) return;
  const cycle = engine.waits.chainClosesCycle(activation, chain);
  if (cycle !== undefined) throw deadlockError([...chain.map((link) => link.key), ...cycle], false);
}

/**
 * What the call stands for. A client's call is its own: another client that repeats the id does not hear the outcome. Objects
 * and the author's code choose ids of their own, and may go on with one for somebody else.
 */
export function printOf({ method, caller: { kind, identity } }: CallMessage, raw: unknown): string {
  return fingerprint(method, raw, kind === "client" ? identity?.id : undefined);
}
