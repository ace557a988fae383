import type { Compared } from "./compare.ts";
import type { Fact } from "./group.ts";
import type { Machine } from "./machine.ts";
import type { Rate } from "./measure.ts";
import type { BenchOptions } from "./options.ts";

/** What one group gave. */
export interface GroupReport {
  readonly name: string;
  readonly title: string;
  readonly rates?: readonly Rate[];
  readonly ratios?: readonly Compared[];
  readonly facts?: readonly Fact[];
}

export interface Report {
  readonly machine: Machine;
  readonly options: Pick<BenchOptions, "rounds" | "seconds" | "partitions" | "quick" | "cases">;
  readonly groups: readonly GroupReport[];
}

/** The report as text. */
export function renderReport({ machine, options, groups }: Report): string {
  const { cpu, cores, memoryGiB, system, node, workerd, date } = machine;
  const where = `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, node ${node}, workerd ${workerd}, ${date}`;
  const how = [
    `${options.rounds} rounds of ${options.seconds} s, medians; a ratio is the median of the rounds' ratios, with the lowest and highest`,
    "cpu µs: processor time of workerd a call; load cpu: share of a core the load generator took",
  ].join("\n");
  return [where, how, ...groups.flatMap(renderGroup), ""].join("\n");
}

function renderGroup({ title, rates = [], ratios = [], facts = [] }: GroupReport): string[] {
  const width = Math.max(...[...rates, ...facts].map(({ name }) => name.length), 40);
  return [
    "",
    title,
    ...(rates.length === 0 ? [] : [line(width, "", "calls/s", "p50 ms", "p99 ms", "cpu µs", "load cpu")]),
    ...rates.map((rate) =>
      line(
        width,
        rate.name,
        whole(rate.perSecond),
        short(rate.p50),
        short(rate.p99),
        short(rate.cpuPerCall),
        percent(rate.generatorCpu),
      ),
    ),
    ...facts.map(({ name, value, unit }) => `${line(width, name, value < 100 ? short(value) : whole(value))} ${unit}`),
    ...ratios.map(renderRatio),
  ];
}

function renderRatio({ of, to, by, ratio, lowest, highest, atLeast, atMost, met }: Compared): string {
  const sign = met === undefined ? " " : met ? "✓" : "✗";
  const targets = [
    ...(atLeast === undefined ? [] : [`target ≥ ${atLeast}`]),
    ...(atMost === undefined ? [] : [`target ≤ ${atMost}`]),
  ];
  const range = [`${short(lowest)}–${short(highest)}`, ...targets].join(", ");
  const what = by === "p99" ? "p99 of " : by === "cpuPerCall" ? "processor time of " : "";
  return `  ${sign} ${what}${of} = ${short(ratio)} × ${to} (${range})`;
}

function line(width: number, name: string, ...columns: readonly string[]): string {
  return `  ${name.padEnd(width)}${columns.map((column) => column.padStart(11)).join("")}`;
}

const whole = (value: number) => Math.round(value).toLocaleString("en-US");
const short = (value: number) => (Number.isNaN(value) ? "–" : value.toFixed(value < 10 ? 2 : 1));
const percent = (share: number) => `${Math.round(share * 100)} %`;
