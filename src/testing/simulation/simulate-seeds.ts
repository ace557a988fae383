import { simulate } from "./simulate.ts";
import type { Workload } from "./workload.ts";

export interface SimulateSeedsOptions<Answer = unknown> {
  readonly workload: Workload<Answer>;
  /** How many. */
  readonly seeds: number;
  /** The first of them; default 1. */
  readonly from?: number;
}

/**
 * Lives through many seeds, one after the other: a test of an author's workload. `edgeverse simulate` does it on every core.
 *
 * @throws Error for the first seed that fails, with the seed and what was not as it must be
 */
export async function simulateSeeds<Answer>(options: SimulateSeedsOptions<Answer>): Promise<void> {
  const { workload, seeds, from = 1 } = options;
  for (let seed = from; seed < from + seeds; seed++) {
    const { violation } = await simulate({ seed, workload });
    if (violation !== undefined) throw new Error(`seed ${seed}: ${violation}`);
  }
}
