import { type CallMessage, objectKey } from "./message.ts";

/**
 * Sends calls so that those of one object run in their order, and those of other objects beside them.
 *
 * @param together whether two calls of one object that follow one another may be on their way at once: whoever takes them
 *   keeps such calls in order by itself. Default: never.
 * @returns the answers, in the order of `messages`
 */
export async function inOrder<Answer>(
  messages: readonly CallMessage[],
  send: (message: CallMessage) => Promise<Answer>,
  together: (before: CallMessage, after: CallMessage) => boolean = () => false,
): Promise<Answer[]> {
  const objects = Map.groupBy(messages.keys(), (index) => {
    const { type, id } = messages[index] as CallMessage;
    return objectKey(type, id);
  });
  const answers = new Array<Answer>(messages.length);
  const ask = async (index: number) => {
    answers[index] = await send(messages[index] as CallMessage);
  };
  const askAll = async (indexes: readonly number[]) => {
    let sent: Promise<void>[] = [];
    for (const [place, index] of indexes.entries()) {
      const before = messages[indexes[place - 1] as number];
      if (before !== undefined && !together(before, messages[index] as CallMessage)) {
        await Promise.all(sent);
        sent = [];
      }
      sent.push(ask(index));
    }
    await Promise.all(sent);
  };
  // Most batches name each object once: those need no second promise.
  await Promise.all(
    [...objects.values()].map((indexes) => (indexes.length === 1 ? ask(indexes[0] as number) : askAll(indexes))),
  );
  return answers;
}
