import type { RateGroup } from "../group.ts";
import { add, bare } from "../plans.ts";

/** A durable call through the router, against what one would write by hand. */
export function callGroup(connections: number): RateGroup {
  return {
    kind: "rates",
    name: `call-${connections}`,
    title: `Durable call, ${connections} connections, 1,000 objects`,
    async cases(context) {
      const baseline = await context.baseline();
      const edgeverse = await context.edgeverse();
      return [
        { name: "bare worker, plain answer", server: baseline, connections, plan: bare.plain },
        { name: "bare RPC, no write", server: baseline, connections, plan: bare.rpc },
        { name: "bare RPC, no write, JSON request", server: baseline, connections, plan: bare.rpcJson },
        { name: "durable call", server: edgeverse, connections, plan: add },
        { name: "bare write per call", server: baseline, connections, plan: bare.write },
      ];
    },
    comparisons: [
      { of: "durable call", to: "bare write per call", atLeast: 2.5 },
      { of: "durable call", to: "bare RPC, no write", atLeast: 0.6 },
      { of: "durable call", to: "bare RPC, no write, JSON request" },
    ],
  };
}
