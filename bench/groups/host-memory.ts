import { setTimeout as sleep } from "node:timers/promises";
import type { FactGroup } from "../group.ts";
import { add, reliableAdd } from "../plans.ts";
import { sharedTreeMiB } from "../resident.ts";

const CALLS = 1_000;
/** Long enough to ship what was accepted, and for V8 to give back what the start took. */
const SETTLE_MS = 10_000;

/** What a local host takes with all its processes: without Postgres, which starts when it is needed, and with it. */
export const hostMemoryGroup: FactGroup = {
  kind: "facts",
  name: "host-memory",
  title: "Memory of the local host, all its processes; shared pages count once",
  async measure(context) {
    const folder = context.newFolder();
    // The first run makes the database, which takes more than to open it.
    const first = await context.host({ folder });
    const idle = sharedTreeMiB(first.pid);
    await context.generator.run({ port: first.port, connections: 8, plan: add, seconds: 0, requests: CALLS });
    const plain = sharedTreeMiB(first.pid);
    await context.generator.run({ port: first.port, connections: 8, plan: reliableAdd, seconds: 0, requests: CALLS });
    await sleep(2 * SETTLE_MS);
    const made = sharedTreeMiB(first.pid);
    await first.stop();
    const second = await context.host({ folder });
    await context.generator.run({ port: second.port, connections: 8, plan: reliableAdd, seconds: 0, requests: CALLS });
    await sleep(SETTLE_MS);
    const logging = sharedTreeMiB(second.pid);
    await second.stop();
    return [
      { name: "ready", value: idle, unit: "MiB" },
      { name: `after ${CALLS} durable calls`, value: plain, unit: "MiB" },
      { name: `after ${CALLS} reliable calls`, value: logging, unit: "MiB" },
      { name: "the same, where the database was made", value: made, unit: "MiB" },
    ];
  },
};
