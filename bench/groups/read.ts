import type { RateGroup } from "../group.ts";
import { add, bare, get } from "../plans.ts";

const connections = 32;

export const readGroup: RateGroup = {
  kind: "rates",
  name: "read",
  title: "Readonly call",
  async cases(context) {
    const baseline = await context.baseline();
    const edgeverse = await context.edgeverse();
    return [
      { name: "bare RPC, no write", server: baseline, connections, plan: bare.rpc },
      { name: "readonly call", server: edgeverse, connections, plan: get },
      { name: "durable call", server: edgeverse, connections, plan: add },
    ];
  },
  comparisons: [
    { of: "readonly call", to: "bare RPC, no write" },
    { of: "readonly call", to: "durable call" },
  ],
};
