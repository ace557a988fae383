import type { RateGroup } from "../group.ts";
import { add, bare, NEIGHBOURS, tells } from "../plans.ts";

const connections = 32;
const OBJECTS = 1_000;
const FEW = 4;

/** What one request sends is delivered while the next ones come: a rate that lasts has both in it. */
export const outboxGroup: RateGroup = {
  kind: "rates",
  name: "outbox",
  title: `Calls through the outbox, ${connections} connections; ${NEIGHBOURS} a request, ${FEW} connections`,
  async cases(context) {
    const [baseline, edgeverse] = [await context.baseline(), await context.neighbours()];
    const many = { server: edgeverse, connections: FEW, callsPerRequest: NEIGHBOURS };
    return [
      { name: "bare RPC, no write", server: baseline, connections, plan: bare.rpc },
      { name: "durable call", server: edgeverse, connections, plan: add },
      { name: "durable call that sends one", server: edgeverse, connections, plan: tells(1, "p0", OBJECTS) },
      { name: "sent within the partition", ...many, plan: tells(NEIGHBOURS, "p0") },
      { name: "sent to another partition", ...many, plan: tells(NEIGHBOURS, "p1") },
    ];
  },
  comparisons: [
    { of: "durable call that sends one", to: "durable call", atLeast: 0.8 },
    { of: "sent within the partition", to: "bare RPC, no write", atLeast: 10 },
    { of: "sent to another partition", to: "bare RPC, no write" },
  ],
};
