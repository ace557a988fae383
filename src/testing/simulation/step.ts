import type { Ambush } from "./ambush.ts";
import type { PushStep } from "./push/push-step.ts";

/** Something that happens to the cluster or is done in it. All of it is decided before time begins, so it can be cut down. */
export type Step = { readonly at: number } & (
  | CallStep
  | PushStep
  | { readonly kind: "again"; readonly edge: number; readonly pick: number; readonly timeout: number }
  /** The n-th call of an author's workload. */
  | { readonly kind: "author"; readonly edge: number; readonly n: number }
  | { readonly kind: "crash" | "usurp"; readonly machine: number }
  /** After so many commits. */
  | { readonly kind: "crash at commit"; readonly machine: number; readonly commits: number; readonly delay: number }
  | { readonly kind: "ambush"; readonly ambush: Ambush }
  | { readonly kind: "crash coordinator" }
  /** Newer code is out: each machine gets it with its next process, one after the other. */
  | { readonly kind: "deploy"; readonly apart: number }
  | { readonly kind: "freeze"; readonly machine: number; readonly ms: number }
  | { readonly kind: "cut"; readonly one: number; readonly other: number; readonly ms: number }
  | { readonly kind: "log away" | "log slow"; readonly ms: number }
  | { readonly kind: "write fails"; readonly machine: number }
  | { readonly kind: "disk full" | "disk broken"; readonly machine: number; readonly ms: number }
  | { readonly kind: "forget map"; readonly edge: number }
  | { readonly kind: "cron" }
  | { readonly kind: "move"; readonly object: string; readonly to: number }
  | { readonly kind: "add" | "cordon" | "drain" | "uncordon" | "remove"; readonly partition: number }
  | { readonly kind: "pin"; readonly object: string; readonly to: number | undefined }
  | { readonly kind: "unpin"; readonly object: string }
  | { readonly kind: "cancel"; readonly object: string; readonly force: boolean }
  | { readonly kind: "rebalance" }
  | { readonly kind: "shard count"; readonly factor: number }
);

/** What a client does. */
export type Deed =
  | "add"
  | "addNow"
  | "logged"
  | "refuse"
  | "poison"
  | "forward"
  | "ask"
  | "send"
  | "remindMe"
  | "emitNow"
  | "list"
  | "delete";

export interface CallStep {
  readonly kind: "call";
  readonly edge: number;
  readonly object: string;
  readonly deed: Deed;
  readonly reliable: boolean;
  readonly accepted: boolean;
  readonly timeout: number;
  readonly ms: number;
  readonly to: string;
  readonly expiresIn: number | undefined;
  /** Ms that a reliable call waits for its time. */
  readonly notBefore?: number;
}
