import { type Compared, compare, type Round } from "./compare.ts";
import type { Context } from "./context.ts";
import { cpuTime } from "./cpu-time.ts";
import type { Case, RateGroup } from "./group.ts";
import type { JobResult } from "./load/job.ts";
import { median } from "./median.ts";
import { progress } from "./progress.ts";

/** A case: medians over its rounds. */
export interface Rate extends Round {
  readonly name: string;
  readonly connections: number;
  /** Processor time of workerd for one call, in µs. Time it waits for the disk is not in it. */
  readonly cpuPerCall: number;
  /** Share of a core that the load generator took. */
  readonly generatorCpu: number;
  readonly rounds: readonly Round[];
}

export interface RateResult {
  readonly rates: readonly Rate[];
  readonly ratios: readonly Compared[];
}

interface Measured extends JobResult {
  readonly cpuPerRequest: number;
}

/** Measures a group: every case warmed up, then all cases in each round, every other round in reverse order. */
export async function measure(group: RateGroup, context: Context): Promise<RateResult> {
  const { generator, options } = context;
  const { cases: wanted } = options;
  const cases = (await group.cases(context)).filter(
    ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
  );
  const run = async ({ server, connections, plan }: Case, seconds: number): Promise<Measured> => {
    const before = cpuTime(server.workerdPid);
    const result = await generator.run({ port: server.port, connections, plan, seconds });
    return { ...result, cpuPerRequest: (cpuTime(server.workerdPid) - before) / result.answered };
  };
  for (const one of cases) {
    progress(`${group.name}: warming up ${one.name}`);
    await run(one, Math.min(1, options.seconds / 2));
  }
  const results = new Map<Case, Measured[]>(cases.map((one) => [one, []]));
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

function summarize({ name, connections, callsPerRequest = 1 }: Case, results: readonly Measured[]): Rate {
  const rounds = results.map(({ requests, seconds, p50, p99 }) => ({
    perSecond: (requests / seconds) * callsPerRequest,
    p50,
    p99,
  }));
  return {
    name,
    connections,
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    p50: median(rounds.map(({ p50 }) => p50)),
    p99: median(rounds.map(({ p99 }) => p99)),
    cpuPerCall: median(results.map(({ cpuPerRequest }) => cpuPerRequest / callsPerRequest)),
    generatorCpu: median(results.map(({ generatorCpu }) => generatorCpu)),
    rounds,
  };
}
