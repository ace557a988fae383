import type { Counts } from "./counts.ts";
import type { WorkCost } from "./measure.ts";
import { PRICES } from "./prices.ts";

const CALLS = [
  "One …",
  "requests",
  "object requests",
  "rows read",
  "rows written",
  "statements",
  "awake after the last",
  "$ a million",
  "by hand: rows written",
  "$ a million",
];
const ALONE = [
  "One …",
  "requests",
  "object requests",
  "rows read",
  "rows written",
  "statements",
  "Durable Objects awake",
  "Postgres awake",
  "$ each",
];

/** The costs as tables of Markdown, which a terminal shows as well: of what comes in traffic, and of what comes alone. */
export function renderCosts(costs: readonly WorkCost[]): string {
  const calls = costs
    .filter(({ alone }) => !alone)
    .map(({ name, ours, bare }) => [
      name,
      ...numbers(ours.counts),
      seconds(ours.afterwards.timerMs),
      dollars(ours.bill.dollars * 1_000_000),
      bare === undefined ? "–" : short(bare.counts.rowsWritten),
      bare === undefined ? "–" : dollars(bare.bill.dollars * 1_000_000),
    ]);
  const alone = costs
    .filter(({ alone }) => alone)
    .map(({ name, ours: { counts, bill } }) => [
      name,
      ...numbers(counts),
      seconds(counts.timerMs),
      `${short(counts.postgresMinutes)} min`,
      dollars(bill.dollars),
    ]);
  return [table(CALLS, calls), table(ALONE, alone)].filter((text) => text !== "").join("\n\n");
}

/** Where the prices are from. */
export function renderPrices(): string {
  const prices = Object.values(PRICES).map(
    ({ unit, dollars, per, source, read }) =>
      `- ${unit}: ${dollars} dollars${per === 1 ? " each" : ` for ${per.toLocaleString("en-US")}`} ([read ${read}](${source}))`,
  );
  return prices.join("\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "--:"))), ...rows.map(line)].join("\n");
}

function numbers({ workerRequests, objectRequests, rowsRead, rowsWritten, statements }: Counts): string[] {
  return [workerRequests, objectRequests, rowsRead, rowsWritten, statements].map(short);
}

const seconds = (ms: number) => (ms === 0 ? "0" : `${short(ms / 1_000)} s`);
const dollars = (value: number) =>
  value < 0.01 ? value.toLocaleString("en-US", { maximumSignificantDigits: 2 }) : value.toFixed(2);
const short = (value: number) => value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
