import type { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { ObjectClass } from "../../object/object-class.ts";
import type { CreateParameters } from "../../object/request-types.ts";
import type { Stub } from "../../object/stub-types.ts";
import type { RemoteCallOptions, RemoteLifecycleOptions } from "../../router/remote-objects.ts";
import type { Random } from "./random.ts";

/** How a workload reaches its objects. */
export interface WorkloadClient {
  /** A typed stub. Its calls end after 3 s unless told; one with a `callId` is sent again until it has its outcome. */
  object<Class extends ObjectClass>(type: Class, id: string, options?: RemoteCallOptions): Stub<Class>;
  /**
   * Creates an object; false when it was there already. Not sent again: where a connection may break it answers
   * `UNAVAILABLE`, and the call may create it once more.
   */
  create<Class extends ObjectClass>(
    type: Class,
    id: string,
    ...parameters: CreateParameters<Class, RemoteLifecycleOptions>
  ): Promise<boolean>;
}

/** What the n-th call gets. */
export interface WorkloadCall extends WorkloadClient {
  /** From 0. */
  readonly n: number;
  /** The only chance there may be: all else would tell another story each time. */
  readonly random: Random;
  /** Lets simulated time pass. */
  sleep(ms: number): Promise<void>;
}

/** What came of the n-th call: what it returned, or the error of an object that ended it. */
export type WorkloadAnswer<Answer> =
  | { readonly n: number; readonly answer: Answer; readonly error?: undefined }
  | { readonly n: number; readonly error: EdgeverseError; readonly answer?: undefined };

/** What the check gets. */
export interface WorkloadCheck<Answer> extends WorkloadClient {
  /** One for each call, in the order of `n`. */
  readonly answers: readonly WorkloadAnswer<Answer>[];
}

/**
 * An author's own objects under the simulation: what they are, what clients do with them, and what must be true in the end.
 *
 * @typeParam Answer what `call` returns, for `check`
 * @example
 * export default {
 *   objects: [Counter],
 *   calls: 40,
 *   call: ({ object, random, n }) => object(Counter, random.pick(["a", "b"]), { callId: `c${n}` }).add({ by: 1 }),
 *   async check({ object, answers }) {
 *     const added = answers.filter(({ error }) => error === undefined).length;
 *     const [a, b] = [await object(Counter, "a").get(), await object(Counter, "b").get()];
 *     if (a.value + b.value !== added) throw new Error("a call was lost, or ran twice");
 *   },
 * } satisfies Workload;
 */
export interface Workload<Answer = unknown> {
  readonly objects: readonly ObjectClass[];
  /** How many calls there are; troubles come between them. */
  readonly calls: number;
  /** One client's doing: a call or several. What it throws that is not of an object is a mistake, and the seed fails. */
  call(client: WorkloadCall): Promise<Answer> | Answer;
  /**
   * Reads, at random instants amid the troubles, what is stored of objects; throws what is wrong. `stored` gives an object's
   * state, null where there is none, and undefined while its shard is between two owners.
   */
  audit?(stored: (type: ObjectClass, id: string) => unknown): void;
  /** After the end of all trouble; throws what is wrong. */
  check?(client: WorkloadCheck<Answer>): Promise<void> | void;
}
