import { parseArgs } from "node:util";
import { cleanUp } from "../local/host-process.ts";
import { type Progress, type SoakReport, soak } from "./soak.ts";

const HELP = `Runs the real host under mixed work, poison calls, moves, silence, outages and kills, and checks every promise.

  npm run soak -- [options]

  --minutes N   how long (default 10)
  --seed S      what is done when (default: another each time); the machine's timing stays its own
  --json        print the report as JSON
  --help        this text

Exit status: 0 when no promise was broken, 1 when one was, 2 when the options make no sense.
`;
const TELL_EVERY = 15;

let told = 0;

function tell({ seconds, healthyCalls, broken, mebibytes, disturbances }: Progress): void {
  if (!process.stderr.isTTY && seconds - told < TELL_EVERY) return;
  told = seconds;
  const done = Object.entries(disturbances).map(([what, count]) => `${count} × ${what}`);
  const line = `${Math.floor(seconds)} s: ${healthyCalls} healthy calls, ${broken} broken promises, ${Math.round(mebibytes)} MiB; ${done.join(", ")}`;
  process.stderr.write(process.stderr.isTTY ? `\r${line.slice(0, process.stderr.columns - 1)}\u001b[K` : `${line}\n`);
}

function summary({
  seed,
  seconds,
  broken,
  healthy,
  hostile,
  events,
  disturbances,
  moves,
  memory,
  postgres,
}: SoakReport): string {
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([what, n]) => `${n} × ${what}`)
      .join(", ");
  const growth = memory.growth === undefined ? "too short to say how it grows" : `grew by ${memory.growth}`;
  return `
Seed ${seed}, ${seconds} s${postgres ? "" : ", without Postgres: it is not installed"}
Healthy calls   ${healthy.calls}, ${healthy.reliable} of them reliable, ${healthy.replayed} repetitions; the longest took ${healthy.longestMs} ms
Repeated        ${list(healthy.repeated) || "none"}
Groups          counted ${healthy.counted} times
Events          ${list(events)}
Disturbances    ${list(disturbances)}
Moves           ${list(moves)}
Hostile calls   ${list(hostile)}
workerd         ${memory.most} MiB at most, ${memory.end} at the end, ${growth}
Broken promises ${broken.length === 0 ? "none" : `\n  ${broken.join("\n  ")}`}
`;
}

let options: { minutes: number; seed: number; json: boolean; help: boolean };
try {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "10" },
      seed: { type: "string", default: `${Date.now() % 1_000_000}` },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  options = { ...values, minutes: Number(values.minutes), seed: Number(values.seed) };
  if (!(options.minutes > 0) || !Number.isSafeInteger(options.seed))
    throw new Error("--minutes and --seed are numbers");
} catch (error) {
  process.stderr.write(`${(error as Error).message}\nSee --help.\n`);
  process.exit(2);
}
if (options.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const { minutes, seed, json } = options;
try {
  const report = await soak({ seconds: minutes * 60, seed, onProgress: tell });
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : summary(report));
  process.exitCode = report.broken.length === 0 ? 0 : 1;
} finally {
  await cleanUp();
}
