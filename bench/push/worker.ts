import { defineHost } from "edgeverse/cloudflare";
import { Counter } from "../../examples/counter.ts";
import { Speaker } from "./speaker.ts";

const host = defineHost({
  objects: [Counter, Speaker],
  access: [{ type: "*", access: "ALLOW", anonymous: true }],
  push: { connect: { anonymous: true }, topics: { "room/*": { anonymous: true } } },
});

export default host.worker;
export const { Partition, Coordinator, Gate } = host;
