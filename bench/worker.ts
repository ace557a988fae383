import { defineHost } from "edgeverse/cloudflare";
import { Counter } from "../examples/counter.ts";
import { Hub } from "./hub.ts";
import { Priced } from "./priced.ts";
import { Sleeper } from "./sleeper.ts";
import { Teller } from "./teller.ts";

const host = defineHost({
  objects: [Counter, Hub, Priced, Sleeper, Teller],
  events: { table: { kind: "postgres", topics: "*" } },
  access: [{ type: "*", access: "ALLOW", anonymous: true }],
});

export default host.worker;
export const { Partition, Coordinator } = host;
