import type { CheckContext } from "./check.ts";
import { equal, isTrue, shown } from "./expect.ts";
import type { Probe } from "./probe-object.ts";

/** Calls that each client makes at most, so that a run stays small. */
const MOST = 100;
const PAUSE = 20;
const CLIENTS = 3;

/**
 * Has clients add to an object, by plain and by reliable calls, while something is done to its place.
 * @throws Failure when a call fails, or the object does not hold what was acknowledged
 */
export async function underCalls(object: Probe, context: CheckContext, action: () => Promise<void>): Promise<void> {
  const before = await object.count();
  let over = false;
  let added = 0;
  const client = async (): Promise<void> => {
    for (let call = 0; call < MOST && !over; call++) {
      const options = call % 2 === 0 ? {} : { callId: context.name() };
      const answer = await object.send("add", { by: 1 }, options);
      isTrue(answer.status === 200, `call ${call} of a client failed: ${shown(answer)}`);
      added++;
      await context.sleep(PAUSE);
    }
  };
  const clients = Promise.all(Array.from({ length: CLIENTS }, client));
  // A failure of either ends both.
  const acted = action().finally(() => {
    over = true;
  });
  await Promise.all([acted, clients]);
  isTrue(added > 0, "no call was made in the meantime");
  equal(await object.count(), before + added, "what the object holds of what was acknowledged");
}
