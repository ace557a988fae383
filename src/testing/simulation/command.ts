import { parseArgs } from "node:util";
import { loadWorkload } from "./load-workload.ts";
import { runSeeds } from "./run-seeds.ts";
import { shrink } from "./shrink.ts";
import { planOf, simulate } from "./simulate.ts";
import type { Workload } from "./workload.ts";

const help = (command: string) => `Simulate clusters with crashes, lost messages and moves, and check every promise.

  ${command} [workload] [options]

  workload       a module that exports objects of yours, calls of them and a check; without it the simulation's own
                 objects are called alone
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

/** What was asked for, understood. */
interface Request {
  /** Path of the workload's module. */
  readonly module: string | undefined;
  readonly seed: number | undefined;
  readonly only: readonly number[] | undefined;
  readonly from: number;
  readonly seeds: number;
  readonly trace: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/**
 * `edgeverse simulate`.
 *
 * @param command how it was called, for the help and for commands to repeat
 * @returns the exit status
 */
export async function simulateCommand(args: readonly string[], command: string): Promise<number> {
  let request: Request;
  let workload: Workload | undefined;
  try {
    request = understand(args);
    workload = request.module === undefined ? undefined : await loadWorkload(request.module);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\nSee --help.\n`);
    return 2;
  }
  if (request.help) {
    process.stdout.write(help(command));
    return 0;
  }
  const repeat = `${command}${request.module === undefined ? "" : ` ${request.module}`}`;
  const { seed } = request;
  return (await (seed === undefined ? many(request, repeat) : one({ ...request, seed }, workload, repeat))) ? 0 : 1;
}

/** @throws Error saying what makes no sense */
function understand(args: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seeds: { type: "string" },
      from: { type: "string" },
      seed: { type: "string" },
      only: { type: "string" },
      trace: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const { seed, only, trace, seeds, from, json, help } = values;
  const [module, ...more] = positionals;
  if (more.length > 0) throw new Error(`One workload at a time, not ${positionals.join(" and ")}`);
  if (seed === undefined && (only !== undefined || trace)) {
    throw new Error(`${only === undefined ? "--trace" : "--only"} needs --seed`);
  }
  if (seed !== undefined && (seeds !== undefined || from !== undefined)) {
    throw new Error("--seed is one alone: leave out --seeds and --from");
  }
  return {
    module,
    seed: seed === undefined ? undefined : whole("--seed", seed, 0),
    only: only?.split(",").map((step) => whole("--only", step, 0)),
    from: whole("--from", from ?? "1", 0),
    seeds: whole("--seeds", seeds ?? "1000", 1),
    trace,
    json,
    help,
  };
}

function whole(flag: string, text: string, least: number): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`${flag} must be a whole number from ${least} up, not "${text}"`);
}

async function one(
  { seed, only, trace, json }: Request & { readonly seed: number },
  workload: Workload | undefined,
  repeat: string,
): Promise<boolean> {
  const onTrace = trace ? (line: string) => console.log(line) : undefined;
  const result = await simulate({ seed, only, workload, onTrace });
  if (json) console.log(JSON.stringify(result));
  else
    console.log(result.ok ? `seed ${seed}: every promise kept (${result.hash})` : `seed ${seed}: ${result.violation}`);
  if (result.ok || only !== undefined || json) return result.ok;
  const { only: left, result: smaller, runs } = await shrink({ seed, workload, failed: result });
  const { steps } = planOf(seed, workload?.calls);
  console.log(`\nCut down from ${steps.length} steps to ${left.length} in ${runs} runs: ${smaller.violation}`);
  for (const index of left) console.log(`  ${index}: ${JSON.stringify(steps[index])}`);
  console.log(`\nTo repeat it: ${repeat} --seed ${seed} --only ${left.join(",")} --trace`);
  return false;
}

async function many({ from, seeds, module, json }: Request, repeat: string): Promise<boolean> {
  const tell = progress(seeds);
  const report = await runSeeds({
    from,
    seeds,
    workload: module,
    onResult(result, done) {
      if (!result.ok && !json) {
        console.log(`seed ${result.seed}: ${result.violation}\n  ${repeat} --seed ${result.seed}`);
      }
      tell(done);
    },
  });
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  if (json) console.log(JSON.stringify(report));
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
