import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cleanup } from "./cleanup.ts";
import { startCron } from "./cron.ts";
import { dotenv } from "./dotenv.ts";
import { layFoundation, readWorkers } from "./foundation.ts";
import { startGuardedChild } from "./guarded-child.ts";
import type { HostOptions } from "./host-options.ts";
import type { HostEvents, LocalHost } from "./local-host.ts";
import { nextSave } from "./next-save.ts";
import { waitUntilReady } from "./ready.ts";
import { SourcePositions } from "./source-positions.ts";
import { describeExit } from "./supervisor.ts";
import { wranglerProgram } from "./tools.ts";

const READY_TIMEOUT = 60_000;
const STOP = 10_000;

/** The host of `edgeverse dev`: `wrangler dev`, which bundles again at every change of a file. Slower by far than workerd alone. A {@link StartHost}. */
export async function startWranglerHost(
  options: HostOptions,
  events: HostEvents,
  cleanup: Cleanup,
  signal: AbortSignal,
): Promise<LocalHost> {
  const workers = await readWorkers(options);
  const [settings] = workers;
  const { folder, port, facts, bindings } = await layFoundation(options, workers, cleanup, events.log, async () => {});
  signal.throwIfAborted();

  const envFile = join(folder.wrangler, "dev.env");
  writeFileSync(envFile, dotenv(withoutOwn(bindings.text, settings.file.config.vars)), { mode: 0o600 });
  const flags = {
    ip: options.host,
    port,
    "persist-to": folder.wrangler,
    "env-file": envFile,
    "show-interactive-dev-session": false,
    "inspector-port": 0,
    ...(options.environment === undefined ? {} : { env: options.environment }),
  };
  const args = [
    ...options.configFiles.map((file) => `--config=${file}`),
    ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
  ];
  const positions = new SourcePositions(folder.wrangler);
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  /** When the bundle of the moment was made. */
  let bundled = 0;
  const start = () => {
    bundled = Date.now();
    return startGuardedChild(process.execPath, [wranglerProgram(settings.project), "dev", ...args], {
      env: wranglerEnvironment(),
      onLine: (line) => {
        if (line.includes("Reloading local server")) bundled = Date.now();
        // wrangler itself translates what it takes for a stack trace: not those inside a line of JSON.
        events.log(positions.translate(line));
      },
      channel: "ipc",
      onMessage: (message) => {
        // Requests wait from then on until the first bundle runs; one that can't be made is in the log, and mended there.
        if ((JSON.parse(message) as { event: string }).event === "DEV_SERVER_READY") resolve();
      },
    });
  };
  let child = start();
  const stopping = new AbortController();
  cleanup.add(async () => {
    stopping.abort();
    await child.stop(STOP);
  });
  await waitUntilReady(listening, { child, timeoutMs: READY_TIMEOUT, signal });

  /** wrangler itself waits after a file that can't be bundled, and ends after one that can't be run. */
  const mend = async () => {
    for (;;) {
      const exit = await child.exited;
      if (stopping.signal.aborted) return;
      if (exit.code === null) throw new Error(`wrangler dev ended (${describeExit(exit)})`);
      events.log(`wrangler dev ended (${describeExit(exit)}): it is started again when a file of the worker is saved`);
      await nextSave(workers, options.configFiles, bundled, stopping.signal);
      if (stopping.signal.aborted) return;
      child = start();
    }
  };
  mend().catch((error: Error) => {
    events.log(error.message);
    events.onGivingUp();
  });

  const cron = startCron({
    expressions: settings.crons,
    fire: (...cron) => fireThroughWrangler(facts.url, ...cron),
    log: events.log,
  });
  cleanup.add(() => cron.stop());

  return { ...facts, workerPid: child.pid };
}

/** wrangler reads variables of the worker's file itself, again whenever that changes. */
function withoutOwn(text: Readonly<Record<string, string>>, own: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(text).filter(([name, value]) => own[name] !== value));
}

/** wrangler shows what a handler threw in its own log; the answer has the outcome only. */
async function fireThroughWrangler(url: string, cron: string, scheduledTime: number): Promise<void> {
  const query = new URLSearchParams({ cron, time: String(scheduledTime), format: "json" });
  const response = await fetch(`${url}/cdn-cgi/local/scheduled?${query}`);
  const { outcome } = (await response.json()) as { outcome: string };
  if (outcome !== "ok") throw new Error(outcome);
}

/** Without what the worker gets by file, so that nothing is said twice, and without RUST_BACKTRACE, which slows workerd several times. */
function wranglerEnvironment(): Record<string, string> {
  const env: Record<string, string> = { WRANGLER_SEND_METRICS: "false" };
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && name !== "RUST_BACKTRACE" && name !== "DATABASE_URL" && !name.startsWith("EDGEVERSE_"))
      env[name] = value;
  return env;
}
