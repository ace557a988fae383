import { type Compared, compare } from "./compare.ts";
import type { Context } from "./context.ts";
import { cpuTime } from "./cpu-time.ts";
import type { Case, RateGroup } from "./group.ts";
import type { JobResult } from "./load/job.ts";
import { median } from "./median.ts";
import { progress } from "./progress.ts";

export interface Rate {
  readonly name: string;
  readonly connections: number;
  /** Medians over the rounds; latencies in ms, of a request. */
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Processor time of workerd for one call, in µs. Time it waits for the disk is not in it. */
  readonly cpuPerCall: number;
  /** Share of a core that the load generator took. */
  readonly generatorCpu: number;
  readonly rounds: readonly { readonly perSecond: number; readonly p50: number; readonly p99: number }[];
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
  const cases = await group.cases(context);
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
  const byName = new Map(rates.map((rate) => [rate.name, rate.rounds.map(({ perSecond }) => perSecond)]));
  return { rates, ratios: group.comparisons.map((comparison) => compare(comparison, byName)) };
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
