import { parseArgs } from "node:util";
import { explore, type Violation } from "./explore.ts";
import { FLAWS, type Flaw } from "./flaws.ts";
import { type MoveModelOptions, moveModel } from "./move-model.ts";
import { stateText } from "./move-model-key.ts";
import type { MoveModelState } from "./move-model-state.ts";

const HELP = `Visit every state of the live move of a shard, and check its rules in each.

  --partitions <n>  2 or 3 (2)
  --moves <n>       moves planned one after the other (2)
  --crashes <n>     crashes of partitions (no bound; a bound makes more states, not fewer)
  --duplicates <n>  late or repeated requests on their way at once (1)
  --slow-turns      turns take time
  --one-call        without the call that is not reliable
  --flaw <name>     break the protocol, to see it found out:
${Object.entries(FLAWS)
  .map(([name, what]) => `                      ${name.padEnd(20)} ${what}`)
  .join("\n")}
  --limit <n>       states after which to give up (15000000; a million take about 0.5 GB)
  --json            print the result as JSON
  --help            this text

Exit status: 0 when every state is as it must be; 1 when one is not, or not all were seen.
`;

try {
  const { values } = parseArgs({
    options: {
      partitions: { type: "string", default: "2" },
      moves: { type: "string", default: "2" },
      crashes: { type: "string" },
      duplicates: { type: "string", default: "1" },
      "slow-turns": { type: "boolean", default: false },
      "one-call": { type: "boolean", default: false },
      flaw: { type: "string" },
      limit: { type: "string", default: "15000000" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) process.stdout.write(HELP);
  else {
    const options: MoveModelOptions = {
      partitions: within("--partitions", values.partitions, 2, 3) as 2 | 3,
      moves: within("--moves", values.moves, 0, 9),
      late: within("--duplicates", values.duplicates, 0, 9),
      slowTurns: values["slow-turns"],
      oneCall: values["one-call"],
      ...(values.crashes === undefined ? {} : { crashes: within("--crashes", values.crashes, 0, 99) }),
      ...(values.flaw === undefined ? {} : { flaw: flawOf(values.flaw) }),
    };
    run(options, within("--limit", values.limit, 1, 16_000_000), values.json);
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\nSee --help.\n`);
  process.exitCode = 1;
}

function run(options: MoveModelOptions, limit: number, json: boolean): void {
  const start = process.hrtime.bigint();
  const { violation, ...counts } = explore(moveModel(options), { limit });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (!counts.complete) process.exitCode = 1;
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ options, ...counts, seconds, ...(violation === undefined ? {} : { violation }) })}\n`,
    );
    return;
  }
  const { states, transitions, depth, complete } = counts;
  process.stdout.write(`${states} states, ${transitions} transitions, depth ${depth}, ${seconds.toFixed(1)} s\n`);
  if (violation !== undefined) process.stdout.write(textOf(violation));
  else process.stdout.write(complete ? "every state is as it must be\n" : "not all states were seen\n");
}

function textOf({ invariant, reason, trace }: Violation<MoveModelState>): string {
  const steps = trace.map(
    ({ action, state }, index) => `${index.toString().padStart(3)} ${action}\n      ${stateText(state)}\n`,
  );
  return `broken: ${invariant}\n        ${reason}\n${steps.join("")}`;
}

function within(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${flag} must be a whole number from ${least} to ${most}, not "${text}"`);
}

function flawOf(name: string): Flaw {
  if (name in FLAWS) return name as Flaw;
  throw new Error(`there is no flaw "${name}"`);
}
