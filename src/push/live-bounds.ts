import { EdgeverseError } from "../errors/edgeverse-error.ts";

/** Objects that a client may watch, and a gate; characters of states that a gate keeps; objects in one question; ms between two renewals. */
export const LIVE_BOUNDS = {
  client: 100,
  objects: 20_000,
  characters: 32 * 1024 * 1024,
  ask: 500,
  look: 60_000,
} as const;

/**
 * Whether a client may watch one more.
 * @param own what it watches already
 * @param objects what all clients of the gate watch
 * @throws EdgeverseError `PAYLOAD_TOO_LARGE`, `OVERLOADED`
 */
export function checkRoomToWatch(own: number, objects: ReadonlyMap<string, unknown>, key: string): void {
  if (own >= LIVE_BOUNDS.client)
    throw new EdgeverseError("PAYLOAD_TOO_LARGE", `A client may watch ${LIVE_BOUNDS.client} objects`);
  if (objects.size >= LIVE_BOUNDS.objects && !objects.has(key))
    throw new EdgeverseError("OVERLOADED", "The clients of this gate watch all that they may", { retryAfter: 30 });
}
