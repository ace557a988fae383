import type { RateGroup } from "../group.ts";
import { add, addTelling } from "../plans.ts";

const connections = 32;
const TELLING = "durable call that emits an event";

/** What an event costs a write. Its sink is the table in Postgres, which takes in the events meanwhile. */
export const eventGroup: RateGroup = {
  kind: "rates",
  name: "events",
  title: `Events, ${connections} connections, two partitions, 1,000 objects`,
  async cases(context) {
    const edgeverse = await context.neighbours();
    return [
      { name: "durable call", server: edgeverse, connections, plan: add },
      { name: TELLING, server: edgeverse, connections, plan: addTelling },
    ];
  },
  comparisons: [{ of: TELLING, to: "durable call" }],
};
