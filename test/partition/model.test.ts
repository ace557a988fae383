import fc from "fast-check";
import { describe, test } from "vitest";
import { present, type Step, step } from "./ledger.ts";
import { Story } from "./ledger-story.ts";

/**
 * Random stories over a small cluster, compared with what must be true of any of them: an effect is there exactly once when
 * its call was acknowledged (and nothing deleted it), at most once when it was not, never when it was refused; reliable calls
 * end, once, in order of acceptance; an object is there, created once, when something was written to it and not when it was
 * only read; counters return to where they began.
 */

async function tell(steps: readonly Step[], config: Record<string, string | number>, cycles = false): Promise<void> {
  const story = new Story(config, cycles);
  for (const name of ["p0", "p1"]) await story.made.partition(name).core();
  for (const next of steps) await story.run(next);
  await story.end();
  await story.check();
}

const story = fc.array(step, { minLength: 5, maxLength: 30 });

const limits = { numRuns: 400, interruptAfterTimeLimit: 6_000, endOnFailure: true };

describe("the model", () => {
  test("[TURN2] [TURN3] [TURN6] [CALL1] [CALL2] [CALL4] [CALL5] any story keeps its promises", async () => {
    present.hooksTake = 0;
    await fc.assert(
      fc.asyncProperty(story, (steps) => tell(steps, {})),
      limits,
    );
  });

  test("[LIFE2] [TURN1] [TURN6] also with little memory and hooks that take time", async () => {
    present.hooksTake = 25;
    await fc.assert(
      fc.asyncProperty(story, (steps) => tell(steps, { maxObjects: 1, idleTimeout: "300ms" })),
      limits,
    );
  });

  test("[TURN7] [CALL2] also when objects call one another in cycles", async () => {
    present.hooksTake = 0;
    await fc.assert(
      fc.asyncProperty(story, (steps) => tell(steps, {}, true)),
      limits,
    );
  });
});
