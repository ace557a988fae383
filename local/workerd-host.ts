import { namedOrigins } from "./bindings.ts";
import { type BinaryModule, bundleWorker } from "./bundle.ts";
import type { Cleanup } from "./cleanup.ts";
import { fireScheduled } from "./control-client.ts";
import { startCron } from "./cron.ts";
import { layFoundation } from "./foundation.ts";
import type { HostOptions } from "./host-options.ts";
import type { HostEvents, LocalHost } from "./local-host.ts";
import { waitUntilReady } from "./ready.ts";
import { SourcePositions } from "./source-positions.ts";
import { supervise } from "./supervisor.ts";
import { prepareWorkerd } from "./workerd.ts";

const READY_TIMEOUT = 30_000;
/** How long requests in flight may take to end; workerd itself would wait for them for ever. */
const DRAIN = 10_000;

/** The host of `edgeverse start`: workerd itself listens, with nothing between it and its clients. A {@link StartHost}. */
export async function startWorkerdHost(
  options: HostOptions,
  events: HostEvents,
  cleanup: Cleanup,
  signal: AbortSignal,
): Promise<LocalHost> {
  let binaries: readonly BinaryModule[] = [];
  const { settings, folder, port, facts, bindings } = await layFoundation(
    options,
    cleanup,
    async (settings, folder) => {
      binaries = await bundleWorker(settings, folder.worker);
    },
  );
  signal.throwIfAborted();

  const positions = new SourcePositions(folder.worker);
  const log = (text: string) => events.log(positions.translate(text));
  const start = prepareWorkerd({
    host: options.host,
    port,
    controlSocket: folder.controlSocket,
    objectsFolder: folder.objects,
    folder: folder.worker,
    worker: settings,
    binaries,
    bindings: bindings.text,
    json: bindings.json,
    privateOrigins: namedOrigins(bindings),
    log,
  });
  const { child, listening } = start();
  cleanup.add(() => child.kill()); // Does nothing once the supervisor below has ended it.
  await waitUntilReady(listening, { child, timeoutMs: READY_TIMEOUT, signal });

  const workerd = supervise(child, { start: () => start().child, ...events });
  cleanup.add(async () => {
    // An open WebSocket or event stream never ends by itself: say why nothing seems to happen.
    const wait = `waiting up to ${DRAIN / 1_000} s for open requests and connections to end (Ctrl-C again ends them now)`;
    const notice = setTimeout(() => events.log(wait), 500);
    await workerd.stop(DRAIN);
    clearTimeout(notice);
  });
  const cron = startCron({
    expressions: settings.crons,
    fire: (expression, scheduledTime) => fireScheduled(folder.controlSocket, { cron: expression, scheduledTime }),
    log,
  });
  cleanup.add(() => cron.stop());

  return {
    ...facts,
    get workerPid() {
      return workerd.pid;
    },
  };
}
