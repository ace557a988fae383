import { inOrder } from "../object/in-order.ts";
import { BATCH_CHARACTERS, type CallMessage, type Later, type Reply } from "../object/message.ts";
import type { LateReplies } from "./late-replies.ts";
import { BatchCalls } from "./left-calls.ts";
import type { Partition } from "./partition.ts";
import { ReplyRoom } from "./reply-room.ts";

/** Ms after which an answer leaves without what is not there. */
const PATIENCE = 20;

/**
 * Runs the calls of one message: those of one object in their order, those of others beside them ([HTTP14]).
 *
 * @param characters what the responses may have together ([HTTP7])
 * @param calls knows which of them nobody waits for any more
 */
export function runBatch(
  partition: Partition,
  messages: readonly CallMessage[],
  characters = BATCH_CHARACTERS,
  calls = new BatchCalls(),
): Promise<Reply[]> {
  const room = new ReplyRoom(characters);
  const run = async (message: CallMessage) => room.fit(await partition.call(message, room), message);
  // Else a later call could run before an earlier one that is sent on, should the shard come back meanwhile.
  return calls.run(messages, run, (send) => inOrder(messages, send, isQueuedAlike, (reply) => reply.kind === "moved"));
}

/**
 * The same, but what is not there when most of it is comes later: one call that takes long holds back no others.
 *
 * @param late has what comes later
 */
export async function runBatchSoon(
  partition: Partition,
  late: LateReplies,
  messages: readonly CallMessage[],
  characters = BATCH_CHARACTERS,
  calls = new BatchCalls(),
): Promise<(Reply | Later)[]> {
  const room = new ReplyRoom(characters);
  const here = new Map<CallMessage, Reply>();
  const arrived = new Map<CallMessage, (reply: Reply) => void>();
  const run = async (message: CallMessage) => {
    const reply = room.fit(await partition.call(message, room), message);
    here.set(message, reply);
    arrived.get(message)?.(reply);
    return reply;
  };
  const all = calls.run(messages, run, (send) =>
    inOrder(messages, send, isQueuedAlike, (reply) => reply.kind === "moved"),
  );
  const patience = new Promise<undefined>((resolve) => {
    const cancel = partition.clock.after(PATIENCE, () => resolve(undefined));
    void all.then(cancel, cancel);
  });
  const replies = await Promise.race([all, patience]);
  if (replies !== undefined) return replies;
  const answer = messages.map((message, index): Reply | Later | Promise<Reply> => {
    const reply = here.get(message);
    if (reply !== undefined) return reply;
    const coming = new Promise<Reply>((resolve) => {
      arrived.set(message, resolve);
      // A call that was not sent, since an earlier one of its object has moved, comes only with all.
      void all.then((final) => resolve(final[index] as Reply));
    });
    const ticket = late.add(coming);
    return ticket === undefined ? coming : { kind: "later", ticket };
  });
  room.leave();
  return Promise.all(answer);
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
