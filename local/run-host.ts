import { banner } from "./banner.ts";
import { Cleanup } from "./cleanup.ts";
import type { HostOptions } from "./host-options.ts";
import type { StartHost } from "./local-host.ts";
import { lookAtApi } from "./served-api.ts";
import { onStopSignals } from "./stop-signals.ts";

/**
 * Runs a host until a signal ends it: starts, says where everything is, stops. What the worker says goes to standard error.
 * @throws HostError when it can't be started
 */
export async function runHost(start: StartHost, options: HostOptions): Promise<void> {
  const stopping = new AbortController();
  const cleanup = new Cleanup();
  const finish = async (code: number): Promise<void> => {
    stopping.abort();
    await host.catch(() => {});
    await cleanup.run().catch((error: unknown) => log(`while stopping: ${error}`));
    process.exit(code);
  };
  const host = start(options, { log, onGivingUp: () => void finish(1) }, cleanup, stopping.signal);
  onStopSignals({
    stop: () => void finish(0),
    stopAtOnce: () => process.exit(130), // The guard kills the worker when this process ends, however it ends.
  });
  onLosingNpm(() => void finish(0));

  try {
    const started = await host;
    if (stopping.signal.aborted) return;
    const { url, adminToken, workerPid, dataDir } = started;
    const ready = { url, adminToken, pid: process.pid, workerdPid: workerPid, dataDir };
    process.stdout.write(options.json ? `${JSON.stringify(ready)}\n` : banner(started, await lookAtApi(url)));
  } catch (error) {
    // Ended by a signal while it was starting: that is a stop, not a failure, and `finish` is at it.
    if (stopping.signal.aborted) return;
    await cleanup.run().catch(() => {});
    throw error;
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
