import { type CallMessage, objectKey } from "./message.ts";

/**
 * Sends calls so that those of one object run in their order, and those of other objects beside them.
 *
 * @param together whether two calls of one object that follow one another may be on their way at once: whoever takes them
 *   keeps such calls in order by itself
 * @param ends whether the calls of the object that have not been sent yet get this answer too, unsent
 * @returns the answers, in the order of `messages`
 */
export async function inOrder<Answer>(
  messages: readonly CallMessage[],
  send: (message: CallMessage) => Promise<Answer>,
  together: (before: CallMessage, after: CallMessage) => boolean,
  ends: (answer: Answer) => boolean,
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
        const past = indexes.slice(0, place).map((earlier) => answers[earlier] as Answer);
        const end = past.findIndex(ends);
        if (end >= 0) {
          for (const later of indexes.slice(place)) answers[later] = past[end] as Answer;
          return;
        }
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
