import type { Caller } from "../object/call.ts";

/** Who calls through the edge, until requests are authenticated. */
export const CLIENT: Caller = { kind: "client" };
