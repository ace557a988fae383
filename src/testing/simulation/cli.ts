import { parseArgs } from "node:util";
import { runSeeds } from "./run-seeds.ts";
import { shrink } from "./shrink.ts";
import { planOf, simulate } from "./simulate.ts";

const COMMAND = "npm run simulate --";
const HELP = `Simulate clusters with crashes, lost messages and moves, and check every promise.

  ${COMMAND} [options]

  --seeds N      how many seeds to live through (default 1000)
  --from K       the first of them (default 1)
  --seed S       one seed alone; one that fails is cut down to the steps it takes
  --only 1,2,3   with --seed: only these of its steps
  --trace        with --seed: print everything that happens
  --json         print the report as JSON
  --help         this text

Exit status: 0 when every promise was kept; 1 when one was broken, and the command that repeats it is printed; 2 when the
options make no sense.
`;
/** Ms between two lines of progress where there is no terminal to write over. */
const TELL_EVERY = 15_000;

const { values } = understood(() =>
  parseArgs({
    options: {
      seeds: { type: "string" },
      from: { type: "string" },
      seed: { type: "string" },
      only: { type: "string" },
      trace: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  }),
);

/** Runs what reads the options; what it throws is for the user. */
function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\nSee --help.\n`);
    process.exit(2);
  }
}

function repeat(seed: number, only?: readonly number[]): string {
  return `${COMMAND} --seed ${seed}${only === undefined ? "" : ` --only ${only.join(",")}`}`;
}

async function one(seed: number, only: readonly number[] | undefined): Promise<boolean> {
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
  const tell = progress(seeds);
  const report = await runSeeds({
    ...{ from, seeds },
    onResult(result, done) {
      if (!result.ok && !values.json) console.log(`seed ${result.seed}: ${result.violation}\n  ${repeat(result.seed)}`);
      tell(done);
    },
  });
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
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

/** Says on stderr how far it is: at a terminal in one line, else in a line now and then. */
function progress(seeds: number): (done: number) => void {
  const begun = performance.now();
  let told = begun;
  return (done) => {
    const now = performance.now();
    if (now - told < (process.stderr.isTTY ? 250 : TELL_EVERY)) return;
    told = now;
    const rate = (done / (now - begun)) * 1_000;
    const line = `${done} of ${seeds} seeds, ${rate.toFixed(0)} a second, ${Math.ceil((seeds - done) / rate)} s to go`;
    process.stderr.write(process.stderr.isTTY ? `\r${line}\u001b[K` : `${line}\n`);
  };
}

function whole(flag: string, text: string, least: number): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`${flag} must be a whole number from ${least} up, not "${text}"`);
}

if (values.help) process.stdout.write(HELP);
else {
  const run = understood(() => {
    const { seed, only, trace, seeds, from } = values;
    if (seed === undefined) {
      if (only !== undefined || trace) throw new Error(`${only === undefined ? "--trace" : "--only"} needs --seed`);
      const range = [whole("--from", from ?? "1", 0), whole("--seeds", seeds ?? "1000", 1)] as const;
      return () => many(...range);
    }
    if (seeds !== undefined || from !== undefined) throw new Error("--seed is one alone: leave out --seeds and --from");
    const number = whole("--seed", seed, 0);
    const steps = only?.split(",").map((step) => whole("--only", step, 0));
    return () => one(number, steps);
  });
  process.exitCode = (await run()) ? 0 : 1;
}
