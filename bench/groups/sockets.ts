import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../context.ts";
import type { Fact, FactGroup } from "../group.ts";
import { openClient } from "../load/gate-client.ts";
import { type ClientSocket, openSocket, openSockets } from "../load/socket.ts";
import { residentMiB } from "../resident.ts";
import type { Server } from "../server.ts";

/** workerd takes two descriptors for each, and machines often allow 20,000 for a process. */
const SOCKETS = 9_500;
/** Ms after which a Durable Object without work has left its memory, and some. */
const SETTLE_MS = 15_000;

/** What connections take that say nothing, at a gate and at a Durable Object that keeps nothing of them. */
export const socketsGroup: FactGroup = {
  kind: "facts",
  name: "idle-sockets",
  title: "Memory of idle WebSockets, while their Durable Objects hibernate",
  async measure(context) {
    const baseline = await context.baseline();
    const bare = await memoryOf(baseline, context, "bare", (failed) =>
      openSocket(baseline.port, "/socket", () => {}, failed),
    );
    const gated = await context.gated();
    const ours = await memoryOf(gated, context, "gate", (failed) =>
      openClient(gated.port, undefined, () => {}, failed),
    );
    return [...bare, ...ours];
  },
};

async function memoryOf(
  { workerdPid }: Server,
  { options }: Context,
  name: string,
  open: (failed: (why: string) => void) => Promise<ClientSocket>,
): Promise<Fact[]> {
  const count = options.quick ? SOCKETS / 10 : SOCKETS;
  const { promise: failure, reject } = Promise.withResolvers<never>();
  failure.catch(() => {});
  const failed = (why: string) => reject(new Error(why));
  // The first ones make what all share.
  const first = await Promise.race([openSockets(100, () => open(failed)), failure]);
  const before = residentMiB(workerdPid);
  const started = performance.now();
  const sockets = await Promise.race([openSockets(count - first.length, () => open(failed)), failure]);
  const seconds = (performance.now() - started) / 1_000;
  const opened = residentMiB(workerdPid);
  await Promise.race([sleep(options.quick ? 500 : SETTLE_MS), failure]);
  const after = residentMiB(workerdPid);
  for (const socket of [...first, ...sockets]) socket.end();
  return [
    { name: `${name}: sockets`, value: count, unit: "" },
    { name: `${name}: opened per second`, value: sockets.length / seconds, unit: "/s" },
    { name: `${name}: workerd before`, value: before, unit: "MiB" },
    { name: `${name}: workerd when they were open`, value: opened, unit: "MiB" },
    { name: `${name}: workerd later, while they are idle`, value: after, unit: "MiB" },
    { name: `${name}: each`, value: ((after - before) / sockets.length) * 1_024, unit: "KiB" },
  ];
}
