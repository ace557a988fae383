import type { Moved } from "../../object/message.ts";
import type { Registry } from "../../object/registry.ts";
import type { Cancel } from "../../platform/ports.ts";

/** Says where objects live. */
export type Places = Pick<Registry, "placement" | "locates">;

/** An owned place: where the object's rows are, and the epoch they are written under. */
export interface Owned {
  readonly kind: "owned";
  /** -1 for an object fixed to its partition. */
  readonly shard: number;
  readonly epoch: number;
  readonly position: number;
}

/** A shard behind its closed gate: calls wait until it has an owner. */
export interface Gated {
  readonly kind: "gated";
  readonly shard: number;
  /** The place, for a call that is let in because a turn that delays the hand-off waits for it. */
  readonly owned: Owned | undefined;
  /** Calls back when the gate opens, with the answer `moved` where there is one, unless cancelled. */
  readonly wait: (callback: (moved: Moved | undefined) => void) => Cancel;
}
