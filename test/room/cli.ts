import { parseArgs } from "node:util";
import { cleanUp } from "../local/host-process.ts";
import { type Progress, type RoomReport, room } from "./room.ts";

const HELP = `Runs the real host with many clients in one room, while connections break, gates, partitions and the host are killed
and shards move. Checks that each client hears each message once and in order, or is told of a gap.

  npm run room -- [options]

  --clients N   how many clients (default 1000), one in 20 of them by edgeverse/client
  --minutes N   how long (default 5)
  --gates N     gates of the host (default 4)
  --rate N      messages a second (default 10)
  --seed S      what is done when (default: another each time); the machine's timing stays its own
  --json        print the report as JSON
  --help        this text

Exit status: 0 when no promise was broken, 1 when one was, 2 when the options make no sense.
`;
const TELL_EVERY = 15;

let told = 0;

function tell({ seconds, listening, said, taken, gaps, broken, mebibytes, trouble }: Progress): void {
  if (!process.stderr.isTTY && seconds - told < TELL_EVERY) return;
  told = seconds;
  const line = `${Math.floor(seconds)} s: ${listening} listen, ${said} said, ${taken} heard, ${gaps} gaps, ${broken} broken promises, ${Math.round(mebibytes)} MiB; ${list(trouble)}`;
  process.stderr.write(process.stderr.isTTY ? `\r${line.slice(0, process.stderr.columns - 1)}\u001b[K` : `${line}\n`);
}

function list(counts: { readonly [what: string]: number }): string {
  return Object.entries(counts)
    .map(([what, count]) => `${count} × ${what}`)
    .join(", ");
}

function summary(report: RoomReport): string {
  const { seed, seconds, clients, gates, broken, said, taken, again, gaps, calls, trouble, ends, memory } = report;
  return `
Seed ${seed}, ${seconds} s, ${clients} clients on ${gates} gates
Messages        ${said} said, ${taken} heard, ${again} came again, ${gaps} gaps told
Calls           ${list(calls)}
Trouble         ${list(trouble)}
Connections     ended by ${list(ends)}
workerd         ${memory.empty} MiB before, ${memory.most} MiB at most, ${memory.end} MiB after all
Broken promises ${broken.length === 0 ? "none" : `\n  ${broken.join("\n  ")}`}
`;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      clients: { type: "string", default: "1000" },
      minutes: { type: "string", default: "5" },
      gates: { type: "string", default: "4" },
      rate: { type: "string", default: "10" },
      seed: { type: "string", default: `${Date.now() % 1_000_000}` },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const { json, help, ...texts } = values;
  const [clients, gates, seed] = [texts.clients, texts.gates, texts.seed].map((text) => {
    const number = Number(text);
    if (!Number.isSafeInteger(number) || number < 0) throw new Error(`"${text}" is no whole number`);
    return number;
  }) as [number, number, number];
  const [minutes, rate] = [Number(texts.minutes), Number(texts.rate)];
  if (!(minutes > 0) || !(rate > 0) || clients < 2 || gates < 1)
    throw new Error("--clients, --minutes, --gates and --rate are numbers above 0, and one client is no room");
  return { help, json, run: { clients, gates, seed, rate, seconds: minutes * 60 } };
}

let options: ReturnType<typeof readOptions>;
try {
  options = readOptions();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\nSee --help.\n`);
  process.exit(2);
}
if (options.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
try {
  const report = await room({ ...options.run, onProgress: tell });
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : summary(report));
  process.exitCode = report.broken.length === 0 ? 0 : 1;
} finally {
  await cleanUp();
}
