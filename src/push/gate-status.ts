import { type GateCounts, NO_COUNTS } from "../observe/gate-counters.ts";
import type { GateState } from "../settings/gate-states.ts";

/** What a gate says of itself. */
export interface GateStatus {
  /** What it goes by: operators may have said something else a moment ago. */
  readonly state: GateState;
  /** Clients that are connected. */
  readonly connected: number;
  /** Sessions, of clients that are connected or away. */
  readonly sessions: number;
  /** Topics and patterns that connected clients listen to, of each client by itself. */
  readonly subscriptions: number;
  /** Objects that clients watch. */
  readonly watched: number;
  readonly log: { readonly rows: number; readonly bytes: number };
  /** Calls that are open, and bytes of them and of results that clients have yet to read. */
  readonly calls: { readonly open: number; readonly bytes: number };
  /** Sessions that have ended and of which an object has yet to be told. */
  readonly farewells: number;
  /** Since its process began. */
  readonly counts: GateCounts;
}

/** Of a gate that nobody has used. */
export const UNUSED_GATE: GateStatus = {
  state: "active",
  connected: 0,
  sessions: 0,
  subscriptions: 0,
  watched: 0,
  log: { rows: 0, bytes: 0 },
  calls: { open: 0, bytes: 0 },
  farewells: 0,
  counts: NO_COUNTS,
};
