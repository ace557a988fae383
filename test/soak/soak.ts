import { setTimeout as sleep } from "node:timers/promises";
import { seeded } from "../end-to-end/wallet-traffic.ts";
import { findPostgres, startPostgresServer } from "../support/postgres-server.ts";
import { Disturbances } from "./disturbances.ts";
import { finalCheck } from "./final-check.ts";
import { HealthyClient } from "./healthy.ts";
import { Hook } from "./hook.ts";
import { SoakHost } from "./host.ts";
import { HostileClient } from "./hostile.ts";
import { Ledger } from "./ledger.ts";
import { Memory } from "./memory.ts";

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly seconds: number;
  readonly healthyCalls: number;
  readonly broken: number;
  readonly mebibytes: number;
  readonly disturbances: Readonly<Record<string, number>>;
}

export interface SoakReport {
  readonly seed: number;
  readonly seconds: number;
  /** Promises that were broken; none when all is well. */
  readonly broken: readonly string[];
  readonly healthy: {
    readonly calls: number;
    readonly reliable: number;
    readonly replayed: number;
    readonly longestMs: number;
    readonly repeated: Readonly<Record<string, number>>;
    /** Looks at all accounts of a group at one moment. */
    readonly counted: number;
  };
  /** What the outside was told, and how it took it. */
  readonly events: Readonly<Hook["counts"]>;
  readonly hostile: Readonly<Record<string, number>>;
  readonly disturbances: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly moves: Readonly<Record<string, number>>;
  /** MiB of workerd; growth is undefined where it did not live long enough. */
  readonly memory: { readonly most: number; readonly end: number; readonly growth: number | undefined };
  /** Without a Postgres server on this machine: no log, no outage of it. */
  readonly postgres: boolean;
}

const HEALTHY = 8;
const HOSTILE = 2;
/** Processes may end in this part of the time. In the rest one process lives on, and its memory is measured. */
const KILLS = 0.5;
/** Heaps and caches grow for some minutes, and a shorter look at them says nothing: `--minutes 30` is long enough. */
const WARM_UP = 3 * 60_000;
const MEASURED_LEAST = 10 * 60_000;
/** MiB. */
const MOST = 900;
const GROWTH = 64;

/** Runs the real host under mixed work while everything fails that may. */
export async function soak({ seconds, seed, onProgress }: SoakOptions): Promise<SoakReport> {
  const random = seeded(seed);
  const part = () => seeded(Math.floor(random() * 2 ** 32));
  const ledger = new Ledger();
  const hook = new Hook(ledger, part());
  const bin = findPostgres();
  const postgres = bin === undefined ? undefined : await startPostgresServer(bin);
  try {
    const memory = new Memory();
    const vars = { SOAK_HOOK_URL: await hook.listen(), SOAK_HOOK_SECRET: hook.secret };
    const host = await SoakHost.run(postgres?.url, vars);
    const disturbances = new Disturbances(host, postgres, part());
    const healthy = Array.from({ length: HEALTHY }, (_, n) => new HealthyClient(host, ledger, part(), `${n}`));
    const hostile = Array.from({ length: HOSTILE }, () => new HostileClient(host, part()));
    const over = new AbortController();
    const begun = performance.now();
    const elapsed = () => (performance.now() - begun) / 1_000;
    const work = [
      ...[...healthy, ...hostile].map((client) => client.run(over.signal)),
      disturbances.move(over.signal),
      disturbances.fail(over.signal, () => elapsed() < seconds * KILLS),
    ];
    const all = Promise.all(work);
    const ended = all.then(
      () => true,
      () => true,
    );
    while (elapsed() < seconds) {
      if (await Promise.race([ended, sleep(1_000).then(() => false)])) break;
      memory.look(host.workerdPid);
      if (host.died !== undefined) {
        ledger.break(`workerd ended by itself: ${host.died}`);
        break;
      }
      onProgress?.({
        seconds: elapsed(),
        healthyCalls: ledger.calls,
        broken: ledger.broken.length,
        mebibytes: memory.now,
        disturbances: disturbances.counts,
      });
    }
    over.abort();
    await all;
    const growth = memory.growth(WARM_UP, MEASURED_LEAST);
    await disturbances.end();
    // A host that does not answer any more is a finding too.
    await finalCheck(host, ledger, hook, postgres !== undefined).catch((error) =>
      ledger.break(`the last look failed: ${error}`),
    );
    if (memory.most > MOST) ledger.break(`workerd had ${Math.round(memory.most)} MiB, more than ${MOST}`);
    if (growth !== undefined && growth > GROWTH) ledger.break(`workerd grew by ${growth} MiB, more than ${GROWTH}`);
    for (const odd of hostile.flatMap((client) => client.odd)) ledger.break(odd);
    const { counts: moves } = await host
      .admin<{ counts: Record<string, number> }>("GET", "moves?limit=1")
      .catch(() => ({ counts: {} }));
    const code = await host.stop();
    if (code !== 0) ledger.break(`the host ended with ${code}`);
    return {
      seed,
      seconds: Math.round(elapsed()),
      broken: ledger.broken,
      healthy: {
        calls: ledger.calls,
        reliable: ledger.reliable,
        replayed: ledger.replayed,
        longestMs: Math.round(ledger.longest),
        repeated: ledger.repeated,
        counted: ledger.counted,
      },
      events: hook.counts,
      hostile: sum(hostile.map(({ counts }) => counts)),
      disturbances: disturbances.counts,
      refused: disturbances.refused,
      moves,
      memory: { most: Math.round(memory.most), end: Math.round(memory.now), growth },
      postgres: postgres !== undefined,
    };
  } finally {
    hook.close();
    await postgres?.stop();
  }
}

function sum(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [what, count] of counts.flatMap(Object.entries<number>)) total[what] = (total[what] ?? 0) + count;
  return Object.fromEntries(Object.entries(total).sort(([a], [b]) => (a < b ? -1 : 1)));
}
