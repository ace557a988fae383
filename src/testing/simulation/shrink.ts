import { planOf, type SimulationResult, simulate } from "./simulate.ts";
import type { Workload } from "./workload.ts";

export interface ShrinkOptions {
  readonly seed: number;
  readonly workload?: Workload | undefined;
  /** What the seed gave; by default it is run first. */
  readonly failed?: SimulationResult | undefined;
  /** Runs at most; default 600. */
  readonly most?: number;
}

export interface Shrunk {
  /** Numbers of the steps that are left. */
  readonly only: readonly number[];
  readonly result: SimulationResult;
  readonly runs: number;
}

/**
 * Leaves out as many of a failing seed's steps as can be while it breaks the same promise: delta debugging (Zeller and
 * Hildebrandt 2002) over the list of steps.
 */
export async function shrink({ seed, workload, failed, most = 600 }: ShrinkOptions): Promise<Shrunk> {
  let result = failed ?? (await simulate({ seed, workload }));
  let only = planOf(seed, workload?.calls).steps.map((_, index) => index);
  let runs = 0;
  const promise = kindOf(result);
  for (let parts = 2; !result.ok && only.length > 0 && runs < most; ) {
    const size = Math.ceil(only.length / parts);
    let smaller = false;
    for (let start = 0; start < only.length && runs < most; start += size) {
      const rest = only.filter((_, index) => index < start || index >= start + size);
      const attempt = await simulate({ seed, workload, only: rest });
      runs++;
      if (kindOf(attempt) !== promise) continue;
      [only, result, smaller] = [rest, attempt, true];
      start -= size;
    }
    if (size === 1 && !smaller) break;
    parts = smaller ? 2 : Math.min(only.length, parts * 2);
  }
  return { only, result, runs };
}

/** Which promise was broken, whatever the names and numbers. */
function kindOf({ violation }: SimulationResult): string | undefined {
  return violation?.replace(/[0-9a-f]{6,}|\b[a-z]\b|\d+/g, "#").slice(0, 40);
}
