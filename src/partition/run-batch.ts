import { inOrder } from "../object/in-order.ts";
import { BATCH_CHARACTERS, type CallMessage, type Reply } from "../object/message.ts";
import type { Partition } from "./partition.ts";
import { ReplyRoom } from "./reply-room.ts";

/**
 * Runs the calls of one message: those of one object in their order, those of others beside them ([HTTP14]).
 *
 * @param characters what the responses may have together ([HTTP7])
 */
export function runBatch(
  partition: Partition,
  messages: readonly CallMessage[],
  characters = BATCH_CHARACTERS,
): Promise<Reply[]> {
  const room = new ReplyRoom(characters);
  const run = async (message: CallMessage) => room.fit(await partition.call(message, room), message);
  // Else a later call could run before an earlier one that is sent on, should the shard come back meanwhile.
  return inOrder(messages, run, isQueuedAlike, (reply) => reply.kind === "moved");
}

/**
 * Whether a partition keeps two calls of one object in the order in which they come: plain ones wait in the object's
 * mailbox, reliable ones of one log policy in the order of acceptance, but neither waits for the other.
 */
function isQueuedAlike(before: CallMessage, after: CallMessage): boolean {
  const [first, second] = [before.reliable, after.reliable];
  if (first === undefined || second === undefined) return first === second;
  return first.log === second.log && (first.log !== undefined || before.method === after.method);
}
