import { defineHost } from "edgeverse/cloudflare";
import { QUIET, RULES } from "../workerd/objects.ts";

const host = defineHost({ objects: QUIET, ...RULES });

export default host.worker;
export const { Partition, Coordinator, Gate } = host;
