import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onStopSignals } from "../local/stop-signals.ts";
import { Context } from "./context.ts";
import type { Group } from "./group.ts";
import { groups } from "./groups/index.ts";
import { describeMachine } from "./machine.ts";
import { measure } from "./measure.ts";
import { type BenchOptions, HELP, readOptions } from "./options.ts";
import { progress } from "./progress.ts";
import { type GroupReport, type Report, renderReport } from "./report.ts";

/** Left out of a quick run: more connections show nothing new there, and every cold start takes seconds. */
const SLOW = /-128$|-1000$|^cold$|^moves|^host-memory$/;

/** `npm run bench` */
try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(HELP);
  else await bench(options);
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

async function bench(options: BenchOptions): Promise<void> {
  const chosen = choose(options);
  await using context = new Context(options);
  onStopSignals({
    stop: () => void context[Symbol.asyncDispose]().finally(() => process.exit(130)),
    stopAtOnce: () => process.exit(130), // Every child ends with this process.
  });
  if (options.quick && options.only.length === 0) context.startAll();
  const reports: GroupReport[] = [];
  for (const group of chosen) reports.push(await runGroup(group, context));
  progress("stopping\n");
  const { rounds, seconds, partitions, quick, cases } = options;
  const report = {
    machine: describeMachine(),
    options: { rounds, seconds, partitions, quick, cases },
    groups: reports,
  };
  keep(report);
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report));
}

function choose({ only, quick }: BenchOptions): readonly Group[] {
  const names = new Set(groups.map(({ name }) => name));
  const isMeant = (name: string) =>
    only.some((start) => name === start || (name.startsWith(start) && !names.has(start)));
  const named = groups.filter(({ name }) => only.length === 0 || isMeant(name));
  const chosen = named.filter(({ name }) => !quick || only.length > 0 || !SLOW.test(name));
  if (chosen.length > 0) return chosen;
  throw new Error(`Nothing is named so: there is ${groups.map(({ name }) => name).join(", ")}`);
}

async function runGroup(group: Group, context: Context): Promise<GroupReport> {
  const { name, title } = group;
  progress(`${name}: starting`);
  if (group.kind === "rates") return { name, title, ...(await measure(group, context)) };
  return { name, title, facts: await group.measure(context) };
}

/** A whole run is the project's latest result; a part of one is only for whoever asked, and git ignores it. */
function keep(report: Report): void {
  const { quick, cases } = report.options;
  const whole = report.groups.length === groups.length && !quick && cases.length === 0;
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, whole ? "latest.json" : "partial.local.json"), `${JSON.stringify(report, null, 2)}\n`);
}
