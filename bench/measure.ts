import { type Compared, compare, type Round } from "./compare.ts";
import type { Context } from "./context.ts";
import type { Case, RateGroup } from "./group.ts";
import type { JobResult } from "./load/job.ts";
import { median } from "./median.ts";
import { progress } from "./progress.ts";

/** A case: medians over its rounds. */
export interface Rate extends Round {
  readonly name: string;
  readonly connections: number;
  /** Share of a core that the load generator took. */
  readonly generatorCpu: number;
  readonly rounds: readonly Round[];
}

export interface RateResult {
  readonly rates: readonly Rate[];
  readonly ratios: readonly Compared[];
}

/** Measures a group: every case warmed up, then all cases in each round, every other round in reverse order. */
export async function measure(group: RateGroup, context: Context): Promise<RateResult> {
  const { generator, options } = context;
  const { cases: wanted } = options;
  const cases = (await group.cases(context)).filter(
    ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
  );
  const run = async ({ server, connections, plan }: Case, seconds: number): Promise<JobResult> => {
    const { port, workerdPid: serverPid } = server;
    return generator.run({ port, connections, plan, seconds, serverPid });
  };
  for (const one of cases) {
    progress(`${group.name}: warming up ${one.name}`);
    await run(one, Math.min(1, options.seconds / 2));
  }
  const results = new Map<Case, JobResult[]>(cases.map((one) => [one, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const one of round % 2 === 0 ? cases : cases.toReversed()) {
      progress(`${group.name}: round ${round + 1} of ${options.rounds}, ${one.name}`);
      results.get(one)!.push(await run(one, options.seconds));
    }
  }
  const rates = cases.map((one) => summarize(one, results.get(one)!));
  const rounds = new Map(rates.map((rate) => [rate.name, rate.rounds]));
  const comparisons = group.comparisons.filter(({ of, to }) => rounds.has(of) && rounds.has(to));
  return { rates, ratios: comparisons.map((comparison) => compare(comparison, rounds)) };
}

function summarize({ name, connections, callsPerRequest = 1 }: Case, results: readonly JobResult[]): Rate {
  const rounds = results.map(({ requests, seconds, p50, p99, serverCpu }) => ({
    perSecond: (requests / seconds) * callsPerRequest,
    p50,
    p99,
    cpuPerCall: serverCpu / requests / callsPerRequest,
  }));
  return {
    name,
    connections,
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    p50: median(rounds.map(({ p50 }) => p50)),
    p99: median(rounds.map(({ p99 }) => p99)),
    cpuPerCall: median(rounds.map(({ cpuPerCall }) => cpuPerCall)),
    generatorCpu: median(results.map(({ generatorCpu }) => generatorCpu)),
    rounds,
  };
}
