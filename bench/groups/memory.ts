import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { FactGroup } from "../group.ts";
import { batches, get } from "../plans.ts";
import { residentMiB } from "../resident.ts";

const BATCH = 1_000;

/** What many objects take: all are called once and then stay for a moment, as many as a partition keeps in memory. */
export const memoryGroup: FactGroup = {
  kind: "facts",
  name: "memory",
  title: "Memory and disk",
  async measure(context) {
    const objects = context.options.quick ? 10_000 : 100_000;
    const host = context.options.quick ? await context.edgeverse() : await context.host();
    const { port } = host;
    await context.generator.run({ port, connections: 8, plan: get, seconds: 0, requests: 1_000 });
    const memory = residentMiB(host.workerdPid);
    const disk = folderMiB(host.dataDir);
    const plan = batches(BATCH, objects);
    const started = performance.now();
    await context.generator.run({ port, connections: 4, plan, seconds: 0, requests: objects / BATCH });
    const seconds = (performance.now() - started) / 1_000;
    const facts = [
      { name: "objects created", value: objects, unit: "" },
      { name: "created per second, in batches of 1,000", value: objects / seconds, unit: "/s" },
      { name: "workerd before", value: memory, unit: "MiB" },
      { name: "workerd after", value: residentMiB(host.workerdPid), unit: "MiB" },
      { name: "disk before", value: disk, unit: "MiB" },
      { name: "disk after", value: folderMiB(host.dataDir), unit: "MiB" },
    ];
    if (!context.options.quick) await host.stop();
    return facts;
  },
};

/** Of the objects alone, without Postgres. */
function folderMiB(dataDir: string): number {
  const folder = join(dataDir, "objects");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0) / 2 ** 20;
}
