import type { ObjectClass } from "../../object/virtual-object.ts";
import type { Sleep } from "./ledger.ts";
import type { Random } from "./random.ts";

/** A call of an author's workload. */
export interface WorkloadCall {
  readonly type: string;
  readonly id: string;
  readonly method: string;
  readonly request?: unknown;
  /** Makes the call reliable: it is repeated with this id until it has an outcome. */
  readonly callId?: string;
  /** Ms until its deadline; default 3,000. */
  readonly timeout?: number;
}

/** What came of a call: its response, or the code it failed with. Undefined while nobody has answered. */
export interface WorkloadAnswer {
  readonly call: WorkloadCall;
  readonly response?: unknown;
  readonly code?: string;
}

/**
 * An author's own objects under the simulation: what they are, what is called, and what must be true of it in the end.
 *
 * @example
 * const { ok, violation } = await simulate({
 *   seed: 1,
 *   workload: {
 *     objects: () => [Counter],
 *     calls: 40,
 *     call: (random, n) => ({ type: "Counter", id: random.pick(["a", "b"]), method: "add", request: { by: 1 }, callId: `c${n}` }),
 *     async check(ask, answers) {
 *       const added = answers.filter(({ code }) => code === undefined).length;
 *       const [a, b] = [await ask("Counter", "a", "get"), await ask("Counter", "b", "get")] as { value: number }[];
 *       if (a.value + b.value !== added) throw new Error("a call was lost, or ran twice");
 *     },
 *   },
 * });
 */
export interface Workload {
  /** The classes, made anew for each process. `sleep` lets simulated time pass in a method. */
  readonly objects: (sleep: Sleep) => readonly ObjectClass[];
  readonly calls: number;
  /** The n-th call, from 0. What is random must come from `random`, or a seed would tell another story each time. */
  readonly call: (random: Random, n: number) => WorkloadCall;
  /** After the end of all trouble; throws what is wrong. `ask` calls an object and gives its response. */
  readonly check?: (ask: Ask, answers: readonly WorkloadAnswer[]) => Promise<void> | void;
}

export type Ask = (type: string, id: string, method: string, request?: unknown) => Promise<unknown>;
