import type { Case, RateGroup } from "../group.ts";
import { bare, hubs, NEIGHBOURS } from "../plans.ts";

const connections = 32;
/** A request to the other partition waits a hundred messages long. */
const FEWER = 8;

const KINDS = [
  { name: "same partition, one after another, readonly", plan: hubs("inTurn", "p0", "get") },
  { name: "same partition, all at once, readonly", plan: hubs("together", "p0", "get") },
  { name: "same partition, one after another, durable", plan: hubs("inTurn", "p0", "add") },
  { name: "same partition, all at once, durable", plan: hubs("together", "p0", "add") },
  { name: "other partition, one after another, durable", plan: hubs("inTurn", "p1", "add") },
  { name: "other partition, all at once, durable", plan: hubs("together", "p1", "add") },
];

/** One request calls an object that calls a hundred others, each its own: a hundred calls. */
export const neighbourGroup: RateGroup = {
  kind: "rates",
  name: "neighbours",
  title: `Calls between objects, ${NEIGHBOURS} neighbours a request`,
  async cases(context) {
    const baseline = await context.baseline();
    const edgeverse = await context.neighbours();
    return [
      { name: "bare RPC, no write", server: baseline, connections, plan: bare.rpc },
      ...KINDS.map(({ name, plan }): Case => {
        return {
          name,
          server: edgeverse,
          connections: name.startsWith("other") ? FEWER : connections,
          plan,
          callsPerRequest: NEIGHBOURS,
        };
      }),
    ];
  },
  comparisons: KINDS.map(({ name }) => ({
    of: name,
    to: "bare RPC, no write",
    ...(name.startsWith("same partition") ? { atLeast: 20 } : {}),
  })),
};
