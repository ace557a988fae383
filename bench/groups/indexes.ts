import type { RateGroup } from "../group.ts";
import { add, addIndexed, bare } from "../plans.ts";

const connections = 32;
const INDEXED = "durable call that changes an index";

/** What an index costs a write: each call replaces one entry. */
export const indexGroup: RateGroup = {
  kind: "rates",
  name: "indexes",
  title: `Indexes, ${connections} connections, two partitions, 1,000 objects`,
  async cases(context) {
    const [baseline, edgeverse] = [await context.baseline(), await context.neighbours()];
    return [
      { name: "bare RPC, no write", server: baseline, connections, plan: bare.rpc },
      { name: "durable call", server: edgeverse, connections, plan: add },
      { name: INDEXED, server: edgeverse, connections, plan: addIndexed },
    ];
  },
  comparisons: [{ of: INDEXED, to: "durable call" }],
};
