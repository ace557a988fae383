import type { Reply } from "../object/message.ts";
import type { PartitionCore } from "./core.ts";
import { errorReply } from "./turns/error-reply.ts";
import type { MemoryBudget } from "./turns/memory-budget.ts";
import { type Outcome, RELEASED } from "./turns/outcome.ts";
import type { TurnActivation } from "./turns/turn.ts";

/**
 * Counts what a call holds in memory until `work` has answered.
 * @param again asks anew; what the call holds is counted there then
 * @throws EdgeverseError `OVERLOADED`
 */
export function counted(
  memory: MemoryBudget,
  weight: number,
  again: () => Promise<Reply>,
  work: (again: () => Promise<Reply>) => Promise<Reply>,
): Promise<Reply> {
  const free = memory.lease(weight);
  const go = () => {
    free();
    return again();
  };
  try {
    // `finally` would cost three promises more.
    return work(go).then(
      (reply) => {
        free();
        return reply;
      },
      (error: unknown) => {
        free();
        throw error;
      },
    );
  } catch (error) {
    free();
    throw error;
  }
}

/**
 * Answers a turn's caller once what the turn may have seen or done is durable.
 * @param weight bytes of memory that the call holds
 * @param again asks anew, when the shard left before the turn began
 */
export function replier(
  core: PartitionCore,
  activation: TurnActivation,
  weight: number,
  resolve: (reply: Reply | Promise<Reply>) => void,
  again: () => Promise<Reply>,
): (outcome: Outcome) => void {
  return (outcome) => {
    if (!outcome.ok && outcome.error === RELEASED) {
      core.memory.free(weight);
      resolve(again());
      return;
    }
    const response = outcome.ok ? 2 * (outcome.value as string).length : 0;
    core.memory.add(response);
    core.commit.settled(activation, (error) => {
      core.memory.free(weight + response);
      if (error !== undefined) resolve(errorReply(error));
      else if (outcome.ok) resolve({ kind: "response", response: outcome.value as string });
      else resolve(errorReply(outcome.error));
    });
  };
}
