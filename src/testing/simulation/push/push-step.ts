import type { Ambush } from "../ambush.ts";

/** What a room sends in one turn, message by message: to its topic, to everybody, or to the client that a listener is by then. */
export type Addressee = "topic" | "all" | number;

export type ListenerDeed = "cut" | "leave" | "quit" | "cancel";

export type GateDeed = "crash" | "hibernate" | "usurp" | "crash at commit" | "write fails" | "freeze" | "cut" | "disk";

/** Something that happens to clients that listen, or to gates. */
export type PushStep =
  | {
      readonly kind: "say";
      readonly object: string;
      readonly to: readonly Addressee[];
      /** Characters of each message. */
      readonly size: number;
      readonly ms: number;
      /** Whether the turn fails at its end. */
      readonly fails: boolean;
      readonly reliable: boolean;
      readonly timeout: number;
      /** An edge, or a listener's connection. */
      readonly via: { readonly edge: number } | { readonly listener: number };
    }
  | { readonly kind: "listener"; readonly listener: number; readonly deed: ListenerDeed }
  /** `n` counts commits, or is a partition's number. */
  | { readonly kind: "gate"; readonly gate: number; readonly deed: GateDeed; readonly n: number; readonly ms: number }
  | { readonly kind: "gate ambush"; readonly ambush: Ambush };

export type SayStep = Extract<PushStep, { kind: "say" }>;

const KINDS: ReadonlySet<string> = new Set<PushStep["kind"]>(["say", "listener", "gate", "gate ambush"]);

export function isPushStep<Step extends { readonly kind: string }>(step: Step | PushStep): step is PushStep {
  return KINDS.has(step.kind);
}
