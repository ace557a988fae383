import { join } from "node:path";
import { namedOrigins } from "./bindings.ts";
import { type Bundle, bundleWorker } from "./bundle.ts";
import type { Cleanup } from "./cleanup.ts";
import { fireScheduled } from "./control-client.ts";
import { startCron } from "./cron.ts";
import { demandOf } from "./features.ts";
import { layFoundation, readWorkers, type Workers } from "./foundation.ts";
import { HostError } from "./host-error.ts";
import type { HostOptions } from "./host-options.ts";
import { launchPlain } from "./launch-plain.ts";
import { launchSimulated } from "./launch-simulated.ts";
import type { HostEvents, LocalHost } from "./local-host.ts";
import { waitUntilReady } from "./ready.ts";
import { SourcePositions } from "./source-positions.ts";
import { supervise } from "./supervisor.ts";
import { CONTROL_SOCKET, startWorkerd } from "./workerd.ts";
import { readWorkerdLog } from "./workerd-log.ts";

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
  const workers = await readWorkers(options);
  checkDemands(workers);
  if (options.heap !== undefined && isSimulated(workers))
    throw new HostError("--heap works where workerd alone runs the Worker; this one has bindings that are simulated");
  const [settings] = workers;
  const foundation = await layFoundation(options, workers, cleanup, events.log, ({ worker }) =>
    bundleAll(workers, worker),
  );
  const { made: bundles, folder, port, facts, bindings } = foundation;
  signal.throwIfAborted();

  const positions = new SourcePositions(folder.worker);
  const log = (text: string) => events.log(positions.translate(text));
  const controlSocket = join(folder.run, CONTROL_SOCKET);
  const variables = [bindings.text, ...workers.map(({ vars }) => vars)].flatMap((vars) => Object.values(vars));
  const where = { host: options.host, port, bindings, privateOrigins: namedOrigins(variables) };
  const launch = isSimulated(workers)
    ? await launchSimulated({ ...where, folder, bundles, log }, cleanup)
    : launchPlain({
        ...where,
        controlSocket,
        objectsFolder: folder.objects,
        folder: folder.worker,
        worker: settings,
        binaries: bundles[0].binaries,
        ...(options.heap === undefined ? {} : { heap: options.heap }),
      });
  const start = () =>
    startWorkerd(launch, {
      project: settings.project,
      cwd: folder.worker,
      onLine(line) {
        const said = readWorkerdLog(line);
        if (said !== undefined) log(said);
      },
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
    fire: (expression, scheduledTime) => fireScheduled(controlSocket, { cron: expression, scheduledTime }),
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

async function bundleAll([first, ...others]: Workers, folder: string): Promise<[Bundle, ...Bundle[]]> {
  const bundles: [Bundle, ...Bundle[]] = [await bundleWorker(first, folder)];
  for (const other of others) bundles.push(await bundleWorker(other, join(folder, other.name)));
  return bundles;
}

/** @throws HostError naming everything in the workers' files that is not to be had here */
function checkDemands(workers: Workers): void {
  const names = workers.map(({ name }) => name);
  for (const { name, file } of workers) {
    const { problems } = demandOf(file, names);
    if (problems.length > 0)
      throw new HostError(`edgeverse start can't run the worker "${name}": ${problems.join("; ")}`);
  }
}

function isSimulated(workers: Workers): boolean {
  return workers.length > 1 || workers.some(({ file }) => demandOf(file, []).simulated);
}
