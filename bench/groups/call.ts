import type { RateGroup } from "../group.ts";
import { add, bare } from "../plans.ts";

const DURABLE = "durable call";
const SAME_REQUEST = "bare RPC, no write, JSON request";

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
        { name: SAME_REQUEST, server: baseline, connections, plan: bare.rpcJson },
        { name: DURABLE, server: edgeverse, connections, plan: add },
        { name: "smallest group commit", server: baseline, connections, plan: bare.grouped },
        { name: "bare write per call", server: baseline, connections, plan: bare.write },
      ];
    },
    comparisons: [
      { of: DURABLE, to: "smallest group commit", atLeast: 0.95 },
      { of: DURABLE, to: SAME_REQUEST },
      { of: DURABLE, to: "bare RPC, no write" },
      { of: DURABLE, to: "bare write per call" },
      // Tails of a busy machine are long even for a plain answer: they are compared with each other, not with zero.
      { of: DURABLE, to: SAME_REQUEST, by: "p99", atMost: 1.3 },
    ],
  };
}
