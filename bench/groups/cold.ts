import type { Context } from "../context.ts";
import type { FactGroup } from "../group.ts";
import { median } from "../median.ts";
import { add } from "../plans.ts";

/** How long the first call takes: of a cluster that is new, and of one that was there before. */
export const coldGroup: FactGroup = {
  kind: "facts",
  name: "cold",
  title: "Cold start",
  async measure(context) {
    const times = context.options.quick ? 1 : 5;
    const fresh: Start[] = [];
    const again: Start[] = [];
    for (let time = 0; time < times; time++) {
      const folder = context.newFolder();
      fresh.push(await startAndCall(context, folder));
      again.push(await startAndCall(context, folder));
    }
    const fact = (name: string, starts: Start[], key: keyof Start) => ({
      name,
      value: median(starts.map((start) => start[key])),
      unit: "ms",
    });
    return [
      fact("new cluster: spawn to ready", fresh, "ready"),
      fact("new cluster: first call", fresh, "firstCall"),
      fact("known cluster: spawn to ready", again, "ready"),
      fact("known cluster: first call", again, "firstCall"),
      fact("second call", again, "secondCall"),
    ];
  },
};

interface Start {
  readonly ready: number;
  readonly firstCall: number;
  readonly secondCall: number;
}

async function startAndCall(context: Context, folder: string): Promise<Start> {
  const host = await context.host({ folder });
  const job = { port: host.port, connections: 1, plan: add, seconds: 0, requests: 1 };
  const first = await context.generator.run(job);
  const second = await context.generator.run(job);
  await host.stop();
  return { ready: host.startMs, firstCall: first.p50, secondCall: second.p50 };
}
