import { banner } from "./banner.ts";
import { HostError } from "./host-error.ts";
import { HELP, readHostOptions } from "./host-options.ts";
import type { StartHost } from "./local-host.ts";
import { onStopSignals } from "./stop-signals.ts";

/**
 * A host as a program: reads the command line, starts, says where everything is, stops at a signal. Standard output has the banner or the JSON
 * line and nothing else; what the worker says goes to standard error.
 */
export async function runHost(start: StartHost): Promise<void> {
  try {
    await run(start);
  } catch (error) {
    log(error instanceof HostError ? error.message : describe(error));
    process.exit(1);
  }
}

async function run(start: StartHost): Promise<void> {
  const options = readHostOptions(process.argv.slice(2), process.env);
  if (options.help) return void process.stdout.write(HELP);

  const stopping = new AbortController();
  const finish = async (code: number): Promise<void> => {
    stopping.abort();
    const started = await host.catch(() => undefined);
    await started?.stop().catch((error: unknown) => log(`while stopping: ${describe(error)}`));
    process.exit(code);
  };
  const host = start(options, { log, onGivingUp: () => void finish(1) }, stopping.signal);
  onStopSignals({
    stop: () => void finish(0),
    stopAtOnce: () => process.exit(130), // The guard kills the worker when this process ends, however it ends.
  });
  onLosingNpm(() => void finish(0));

  try {
    const started = await host;
    if (stopping.signal.aborted) return;
    const { url, adminToken, workerPid } = started;
    const ready = { url, adminToken, pid: process.pid, workerdPid: workerPid, dataDir: options.dataDir };
    process.stdout.write(options.json ? `${JSON.stringify(ready)}\n` : banner(started, options));
  } catch (error) {
    // Ended by a signal while it was starting: that is a stop, not a failure, and `finish` is at it.
    if (!stopping.signal.aborted) throw error;
  }
}

/** Whoever kills the `npm` that runs this script, with a signal npm can't pass on, means this program. */
function onLosingNpm(stop: () => void): void {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const npm = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(watch);
    stop();
  }, 500);
  watch.unref();
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
