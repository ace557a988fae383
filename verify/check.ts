import type { Cluster } from "./cluster.ts";
import type { Answer, Send } from "./deployment.ts";
import type { Facts } from "./facts.ts";
import type { Probe } from "./probe-object.ts";

/** What a deployment must have for a check to make sense there. */
export type Need = "probes" | "admin" | "postgres" | "two partitions" | "--allow-reshard";

/**
 * One thing that a rule of docs/SPEC.md promises, tried from outside. Each works on objects of its own, in any order, on a
 * cluster that others use at the same time.
 */
export interface Check {
  /** Id of the rule: `CALL1`. */
  readonly rule: string;
  /** What the rule says here: a sentence that is true when the check passes. */
  readonly title: string;
  readonly needs?: readonly Need[];
  /** Ms that it may take; default: a minute. */
  readonly within?: number;
  /** @throws Failure when the sentence is not true; NotApplicable when it can't be tried here */
  run(context: CheckContext): Promise<void>;
}

/** What a check works with. All of it ends when the check does. */
export interface CheckContext {
  readonly facts: Facts;
  /** For checks that need `admin`. */
  readonly cluster: Cluster;
  /** Where the paths of the deployment begin: `/edge`, or an empty text. */
  readonly basePath: string;
  /** A name that nobody else uses, for ids and call ids. */
  name(): string;
  /** A probe that nobody else knows. It is deleted after the check. */
  probe(id?: string): Probe;
  /** The same of another type of the verifier's. */
  object(type: string, id: string): Probe;
  /** Sends a request to the deployment. */
  send(send: Send): Promise<Answer>;
  /** The same, as an operator: a path without a slash before it begins after `/admin/v1/`. */
  admin(method: string, path: string, body?: unknown): Promise<Answer>;
  sleep(ms: number): Promise<void>;
  /** Has the check undone, however it ends, the last thing first. The step works with a context of its own. */
  undo(step: (context: CheckContext) => Promise<unknown>): void;
}
