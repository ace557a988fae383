import type { PublicEvent } from "edgeverse";

/** What the consumer of the test Worker's queue has got. */
export const queued: PublicEvent[] = [];
