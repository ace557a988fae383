import { parseArgs } from "node:util";

export interface BenchOptions {
  readonly quick: boolean;
  /** Only groups with one of these names, or whose name begins with one. */
  readonly only: readonly string[];
  /** Only cases of them whose name has one of these in it. */
  readonly cases: readonly string[];
  readonly rounds: number;
  /** Seconds a case is measured in one round. */
  readonly seconds: number;
  readonly partitions: number;
  readonly json: boolean;
  readonly help: boolean;
}

export const HELP = `Measure Edgeverse against bare workerd on this machine, both in the same minute.

  --quick           a smoke test of a few seconds; its numbers say little
  --only <name>     only the group of that name, or those whose name begins so; may be repeated
  --case <text>     only their cases with that in the name; may be repeated
  --rounds <n>      rounds of every case (5)
  --seconds <n>     seconds of one case in one round (2)
  --partitions <n>  partitions of the cluster (1, as in "npm start"); calls between partitions have a cluster of two
  --json            print the results as JSON instead of a table
  --help            this text

Exit status: 0, also when a target is missed; 1 when anything failed or a request got another answer than 2xx.
`;

/** @throws Error with a sentence a person can act on */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      case: { type: "string", multiple: true, default: [] },
      rounds: { type: "string" },
      seconds: { type: "string" },
      partitions: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const { case: cases, ...rest } = values;
  return {
    ...rest,
    cases,
    rounds: above("--rounds", values.rounds ?? (values.quick ? "1" : "5"), 1),
    seconds: above("--seconds", values.seconds ?? (values.quick ? "0.2" : "2"), 0.1),
    partitions: above("--partitions", values.partitions, 1),
  };
}

function above(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (value >= least && (least < 1 || Number.isInteger(value))) return value;
  throw new Error(`${flag} must be ${least < 1 ? "a" : "a whole"} number from ${least} up, not "${text}"`);
}
