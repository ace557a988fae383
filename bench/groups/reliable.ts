import type { RateGroup } from "../group.ts";
import { add, bare, reliableAdd } from "../plans.ts";

/** After the other groups of the same host: Postgres still takes in the log of these calls when they end. */
export function reliableGroup(connections: number): RateGroup {
  return {
    kind: "rates",
    name: `reliable-${connections}`,
    title: `Reliable call, each with its own Idempotency-Key, ${connections} connections`,
    async cases(context) {
      const baseline = await context.baseline();
      const edgeverse = await context.edgeverse();
      return [
        { name: "durable call", server: edgeverse, connections, plan: add },
        { name: "reliable call", server: edgeverse, connections, plan: reliableAdd },
        { name: "bare write per call", server: baseline, connections, plan: bare.write },
        { name: "bare RPC, no write, JSON request", server: baseline, connections, plan: bare.rpcJson },
      ];
    },
    comparisons: [
      { of: "reliable call", to: "durable call", atLeast: 0.85 },
      { of: "reliable call", to: "bare write per call" },
      { of: "reliable call", to: "bare RPC, no write, JSON request", by: "p99", atMost: 1.3 },
    ],
  };
}
