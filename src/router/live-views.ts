import type { WireError } from "../errors/edgeverse-error.ts";

/** What a gate asks an owner about an object that its clients watch. */
export interface LiveWant {
  readonly type: string;
  readonly id: string;
  /** The gate goes on with what it was told, which its clients have: it needs an answer only if there is something new. */
  readonly renew?: boolean;
  /** The version that it was told last, null: that there is none; undefined: it does not know that any more. */
  readonly known?: number | null | undefined;
}

/** When an owner looked at an object. Of two looks the later one is the greater, whoever owned the object then. */
export type LiveMoment = readonly [epoch: number, run: number, look: number];

/** An object as its owner has it, durably. */
export type LiveState =
  | {
      readonly kind: "state";
      readonly at: LiveMoment;
      /** Grows with each commit that changes the object, while it lives. */
      readonly version: number;
      /** What clients see of it: JSON text. */
      readonly state: string;
    }
  | { readonly kind: "gone"; readonly at: LiveMoment };

/** What an owner says to a want: the object, that nothing has changed, that it is another's, or that it can't be watched. */
export type LiveAnswer =
  | LiveState
  | { readonly kind: "same" }
  | { readonly kind: "moved"; readonly to: string }
  | { readonly kind: "refused"; readonly error: WireError };

/** What an owner tells a gate by itself. */
export type LiveChange = { readonly type: string; readonly id: string } & (
  | LiveState
  /** Another partition has it now. */
  | { readonly kind: "moved" }
  | { readonly kind: "refused"; readonly error: WireError }
);

/** What an owner learns from a gate that it has told something. */
export interface LiveReceipt {
  /** Nobody watches these changes' objects there, by their places. */
  readonly unwanted: readonly number[];
}

export function isLater([epoch, run, look]: LiveMoment, than: LiveMoment): boolean {
  if (epoch !== than[0]) return epoch > than[0];
  return run === than[1] ? look > than[2] : run > than[1];
}
