import { defineHost } from "edgeverse/cloudflare";
import { Counter } from "./counter.js";

const host = defineHost({ objects: [Counter] });

export default host.worker;
export const { Partition, Coordinator } = host;
