import { parseArgs } from "node:util";
import { runSeeds } from "./run-seeds.ts";
import { shrink } from "./shrink.ts";
import { planOf, simulate } from "./simulate.ts";

const HELP = `Simulates clusters with crashes, lost messages and moves, and checks every promise.

  node src/testing/simulation/cli.ts [options]

  --seeds N      how many seeds to live through (default 1000)
  --from K       the first of them (default 1)
  --seed S       one seed alone; one that fails is cut down to the steps it takes
  --only 1,2,3   with --seed: only these of its steps
  --trace        with --seed: print everything that happens
  --json         print the report as JSON
  --help         this text

Exit code 1: some promise was broken; the command that repeats it is printed.
`;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    only: { type: "string" },
    trace: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function repeat(seed: number, only?: readonly number[]): string {
  return `node src/testing/simulation/cli.ts --seed ${seed}${only === undefined ? "" : ` --only ${only.join(",")}`}`;
}

async function one(seed: number): Promise<boolean> {
  const only = values.only?.split(",").filter(Boolean).map(Number);
  const onTrace = values.trace ? { onTrace: (line: string) => console.log(line) } : {};
  const result = await simulate({ seed, ...(only === undefined ? {} : { only }), ...onTrace });
  if (values.json) console.log(JSON.stringify(result));
  else
    console.log(result.ok ? `seed ${seed}: every promise kept (${result.hash})` : `seed ${seed}: ${result.violation}`);
  if (result.ok || only !== undefined || values.json) return result.ok;
  const { only: left, result: smaller, runs } = await shrink(seed, result);
  const { steps } = planOf(seed);
  console.log(`\nCut down from ${steps.length} steps to ${left.length} in ${runs} runs: ${smaller.violation}`);
  for (const index of left) console.log(`  ${index}: ${JSON.stringify(steps[index])}`);
  console.log(`\nTo repeat it: ${repeat(seed, left)} --trace`);
  return false;
}

async function many(from: number, seeds: number): Promise<boolean> {
  const progress = process.stderr.isTTY === true && !values.json;
  const report = await runSeeds({
    ...{ from, seeds },
    onResult(result, done) {
      if (!result.ok && !values.json) console.log(`seed ${result.seed}: ${result.violation}\n  ${repeat(result.seed)}`);
      if (progress && done % 20 === 0) process.stderr.write(`\r${done} of ${seeds} seeds`);
    },
  });
  if (progress) process.stderr.write("\r\u001b[K");
  if (values.json) console.log(JSON.stringify(report));
  else {
    const { failed, events, moves, calls, hours, seconds } = report;
    console.log(
      `${seeds} seeds from ${from}, ${failed.length} broke a promise: ${calls} calls, ${moves} moves, ${events} events, ` +
        `${hours.toFixed(0)} hours in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(0)} seeds/s)`,
    );
  }
  return report.failed.length === 0;
}

function whole(text: string, name: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  console.error(`Cannot use --${name} ${text}: it must be a whole number`);
  process.exit(2);
}

if (values.help) console.log(HELP);
else {
  const ok =
    values.seed === undefined
      ? await many(whole(values.from, "from"), whole(values.seeds, "seeds"))
      : await one(whole(values.seed, "seed"));
  process.exitCode = ok ? 0 : 1;
}
