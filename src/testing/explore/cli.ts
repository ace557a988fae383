import { parseArgs } from "node:util";
import { DELIVERY_FLAWS, type DeliveryFlaw } from "./delivery-flaws.ts";
import { deliveryModel } from "./delivery-model.ts";
import { deliveryText } from "./delivery-model-key.ts";
import { explore, type Model, type Violation } from "./explore.ts";
import { FLAWS, type Flaw } from "./flaws.ts";
import { type MoveModelOptions, moveModel } from "./move-model.ts";
import { stateText } from "./move-model-key.ts";

const HELP = `Visit every state of a protocol, and check its rules in each.

  --model move      the live move of a shard (what is explored unless told)
  --model delivery  two messages of an outbox, while the shards of sender and receiver move

  --moves <n>       moves planned one after the other (2); of a delivery, of each shard (1)
  --flaw <name>     break the protocol, to see it found out
  --limit <n>       states after which to give up (15000000; a million take about 0.5 GB)
  --json            print the result as JSON
  --help            this text

Of a move alone:
  --partitions <n>  2 or 3 (2)
  --crashes <n>     crashes of partitions (no bound; a bound makes more states, not fewer)
  --duplicates <n>  late or repeated requests on their way at once (1)
  --slow-turns      turns take time
  --one-call        without the call that is not reliable

Flaws of a move:
${listed(FLAWS)}

Flaws of a delivery:
${listed(DELIVERY_FLAWS)}

Exit status: 0 when every state is as it must be; 1 when one is not, or not all were seen.
`;

const FLAGS = {
  model: { type: "string", default: "move" },
  partitions: { type: "string" },
  moves: { type: "string" },
  crashes: { type: "string" },
  duplicates: { type: "string" },
  "slow-turns": { type: "boolean" },
  "one-call": { type: "boolean" },
  flaw: { type: "string" },
  limit: { type: "string", default: "15000000" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

try {
  const { values } = parseArgs({ options: FLAGS });
  if (values.help) process.stdout.write(HELP);
  else {
    const limit = within("--limit", values.limit, 1, 16_000_000);
    const { flaw, moves } = values;
    if (values.model === "delivery") {
      const others = (["partitions", "crashes", "duplicates", "slow-turns", "one-call"] as const).filter(
        (flag) => values[flag] !== undefined,
      );
      if (others.length > 0) throw new Error(`--${others[0]} is for --model move alone`);
      const options = {
        moves: within("--moves", moves ?? "1", 0, 9),
        ...(flaw === undefined ? {} : { flaw: flawOf<DeliveryFlaw>(DELIVERY_FLAWS, flaw) }),
      };
      run(deliveryModel(options), options, deliveryText, limit, values.json);
    } else if (values.model === "move") {
      const options: MoveModelOptions = {
        partitions: within("--partitions", values.partitions ?? "2", 2, 3) as 2 | 3,
        moves: within("--moves", moves ?? "2", 0, 9),
        late: within("--duplicates", values.duplicates ?? "1", 0, 9),
        slowTurns: values["slow-turns"] ?? false,
        oneCall: values["one-call"] ?? false,
        ...(values.crashes === undefined ? {} : { crashes: within("--crashes", values.crashes, 0, 99) }),
        ...(flaw === undefined ? {} : { flaw: flawOf<Flaw>(FLAWS, flaw) }),
      };
      run(moveModel(options), options, stateText, limit, values.json);
    } else throw new Error(`--model must be move or delivery, not "${values.model}"`);
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\nSee --help.\n`);
  process.exitCode = 1;
}

function run<S>(model: Model<S>, options: object, text: (state: S) => string, limit: number, json: boolean): void {
  const start = process.hrtime.bigint();
  const { violation, ...counts } = explore(model, { limit });
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
  if (violation !== undefined) process.stdout.write(textOf(violation, text));
  else process.stdout.write(complete ? "every state is as it must be\n" : "not all states were seen\n");
}

function textOf<S>({ invariant, reason, trace }: Violation<S>, text: (state: S) => string): string {
  const steps = trace.map(
    ({ action, state }, index) => `${index.toString().padStart(3)} ${action}\n      ${text(state)}\n`,
  );
  return `broken: ${invariant}\n        ${reason}\n${steps.join("")}`;
}

function listed(flaws: Readonly<Record<string, string>>): string {
  return Object.entries(flaws)
    .map(([name, what]) => `  ${name.padEnd(20)} ${what}`)
    .join("\n");
}

function within(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${flag} must be a whole number from ${least} to ${most}, not "${text}"`);
}

function flawOf<Name extends string>(flaws: Readonly<Record<Name, string>>, name: string): Name {
  if (name in flaws) return name as Name;
  throw new Error(`there is no flaw "${name}"`);
}
