import { EdgeverseError } from "../../errors/edgeverse-error.ts";

/** How a turn ended. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: EdgeverseError };

/**
 * The outcome of a turn that never started because its shard is leaving: whoever sent it asks again, waits at the gate, and
 * is told where the object went. Compared by identity; never leaves the partition.
 */
export const RELEASED = new EdgeverseError("UNAVAILABLE", "The shard is moving");
