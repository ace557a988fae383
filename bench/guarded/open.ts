import { defineHost } from "edgeverse/cloudflare";
import { Owned } from "./owned.ts";

/** The same objects for everybody: nobody is asked who it is, no rule and no limit is looked at. */
const host = defineHost({ objects: [Owned] });

export default host.worker;
export const { Partition, Coordinator } = host;
