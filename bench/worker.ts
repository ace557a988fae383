import { defineHost } from "edgeverse/cloudflare";
import { Counter } from "../examples/counter.ts";
import { Hub } from "./hub.ts";

const host = defineHost({ objects: [Counter, Hub] });

export default host.worker;
export const { Partition, Coordinator } = host;
