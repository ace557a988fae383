import type { RateGroup } from "../group.ts";
import { bare, batches } from "../plans.ts";

const CALLS = 100;
const connections = 32;

export const batchGroup: RateGroup = {
  kind: "rates",
  name: "batch",
  title: `Batches of ${CALLS} durable calls`,
  async cases(context) {
    const baseline = await context.baseline();
    const edgeverse = await context.edgeverse();
    return [
      { name: "bare RPC, no write", server: baseline, connections, plan: bare.rpc },
      { name: "batch", server: edgeverse, connections, plan: batches(CALLS), callsPerRequest: CALLS },
      { name: "bare write per call", server: baseline, connections, plan: bare.write },
    ];
  },
  comparisons: [
    { of: "batch", to: "bare write per call", atLeast: 20 },
    { of: "batch", to: "bare RPC, no write" },
  ],
};
