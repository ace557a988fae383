import { defineHost } from "edgeverse/cloudflare";
import { Owned } from "./owned.ts";
import { RULES } from "./rules.ts";

/** Rules, and nothing else. */
const host = defineHost({ objects: [Owned], access: RULES });

export default host.worker;
export const { Partition, Coordinator } = host;
