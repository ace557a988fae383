import * as z from "zod";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { CallContext, CallOptions } from "./call.ts";
import type { JsonResponse } from "./json-types.ts";
import type { MethodOptions } from "./method.ts";
import type { OutboxOptions } from "./outbox.ts";
import type { ObjectScope } from "./scope.ts";
import type { ObjectStore } from "./store.ts";
import type { ObjectName, TransactionWork } from "./transaction.ts";

declare global {
  namespace Cloudflare {
    /** The Worker's bindings. `wrangler types` or the author says what they are; declarations merge. */
    interface Env {}
  }
}

/** Carries the type of the state on the instance; there is no such member when code runs. */
export declare const stateType: unique symbol;

/** Why an object leaves memory. */
export type DeactivationReason = "idle" | "capacity" | "moved";

/** A shard about to move, as a type hears of it. */
export interface ShardMove {
  readonly shard: number;
  readonly from: string;
  readonly to: string;
}

/** What a type says to a move of a shard that holds objects of it: nothing against it, never, or not now. */
export type MoveVote = "allow" | "veto" | { readonly delay: string } | undefined;

let nextScope: ObjectScope | undefined;

/** Makes an instance bound to `scope`. Only the engine makes instances. */
export function construct(type: new () => VirtualObject<unknown>, scope: ObjectScope): VirtualObject<unknown> {
  nextScope = scope;
  try {
    return new type();
  } finally {
    nextScope = undefined;
  }
}

/**
 * A virtual object: one live instance somewhere for every `(type, id)`, durable state, one turn at a time.
 *
 * Each call of a declared method is a turn: what it does to `state` and `store` commits before the caller hears of it, or,
 * when the method throws or its deadline passes, never happened. A turn that fails also drops the instance, so private
 * fields never hold what was rolled back; the next turn starts on a fresh one after `onActivate`.
 *
 * @typeParam State the state's type, as `static state` parses it
 * @example
 * class Counter extends VirtualObject<{ value: number }> {
 *   static override readonly type = "Counter";
 *   static override readonly state = z.object({ value: z.number().int().default(0) });
 *   static override readonly methods = { add: method({ request: z.object({ by: z.number().int() }) }) };
 *   add({ by }: { by: number }) {
 *     this.state.value += by;
 *     return { value: this.state.value };
 *   }
 * }
 */
export abstract class VirtualObject<State = unknown> {
  /** The name callers use: `[A-Za-z][A-Za-z0-9_]{0,63}`. */
  static readonly type: string = "";
  /** Schema of the state, which is JSON. A new object's state is what it makes of `{}`. */
  static readonly state: z.ZodType = z.object({});
  /** Exactly what others may call. */
  static readonly methods: Readonly<Record<string, MethodOptions>> = {};
  /** Version of the state's shape; rows of an older one go through `upgrade` first. */
  static readonly version: number = 1;
  /** False: a call to an object that was never created answers `OBJECT_NOT_FOUND`. */
  static readonly autoCreate: boolean = true;
  /** Schema of the request to create an object, which `onCreate` receives. Without one creating takes no request. */
  static readonly create: z.ZodType | undefined = undefined;
  /** True: calls that come back to an object from its own turn run inside that turn instead of failing with `DEADLOCK`. */
  static readonly reentrant: boolean = false;
  /** Deadline of calls that bring none, such as `"5s"`. */
  static readonly timeout: string | undefined = undefined;
  /** How long its reliable calls are remembered after they ended, such as `"7d"`; default: the configured retention. */
  static readonly retention: string | undefined = undefined;
  /** Log policy of reliable calls. */
  static readonly log: "write-ahead" | "write-behind" = "write-behind";

  /**
   * Objects that are in memory as soon as their place is owned, and follow it: `"global"`, the one called `auto`; `"shard"`,
   * one on every shard in use, called `shard#<n>/auto`; `"partition"`, one on every partition, called `partition#<name>/auto`.
   */
  static readonly autoLoad: "global" | "shard" | "partition" | undefined = undefined;

  /** The text that is hashed in an id's place: ids that give one text share a shard. Never to be changed once objects are stored. */
  static shardBy?(id: string): string | undefined;

  /** Asked before a shard that holds objects of this type moves; may refuse the move, or put it off. */
  static onMove?(move: ShardMove): MoveVote;

  /**
   * The base class of objects with this state: `class Counter extends VirtualObject.withState(z.object({ … }))`. The type of
   * `this.state` is what the schema makes, so it is written once.
   */
  static withState<Schema extends z.ZodType>(state: Schema): StatefulClass<Schema> {
    abstract class Stateful extends VirtualObject<z.output<Schema>> {
      static override readonly state = state;
    }
    return Stateful;
  }

  /** Brings a state that version `from` wrote to the present shape, before it is parsed. */
  static upgrade(old: unknown, _from: number): unknown {
    return old;
  }

  /** For the compiler alone: the type of the state. */
  declare readonly [stateType]?: State;

  readonly #scope: ObjectScope;

  constructor() {
    if (nextScope === undefined) throw new Error(`${new.target.name} is made by Edgeverse, not with "new"`);
    this.#scope = nextScope;
    nextScope = undefined;
  }

  protected get id(): string {
    return this.#scope.id;
  }

  /** The object's state: a JSON value, changed in place or replaced. Frozen in readonly turns. */
  protected get state(): State {
    return this.#scope.turn().state as State;
  }

  protected set state(value: State) {
    this.#scope.turn().state = value;
  }

  protected get store(): ObjectStore {
    return this.#scope.turn().store;
  }

  protected get context(): CallContext {
    return this.#scope.turn().context;
  }

  /** The Worker's bindings: its variables, secrets, queues, databases. A `TestCluster` takes them as `env`. */
  protected get env(): Cloudflare.Env {
    const { env, id } = this.#scope;
    if (env !== undefined) return env as Cloudflare.Env;
    throw new Error(`${this.constructor.name} "${id}" has no bindings: give them to the TestCluster as "env"`);
  }

  /** The turn's time, ms since the epoch: taken once as the turn starts. In tests it is that of the manual clock. */
  protected now(): number {
    return this.#scope.turn().now;
  }

  /**
   * A typed stub of another object. With `callId` its calls are reliable.
   * Calls throw `EdgeverseError`; what they did to the other object stands even if this turn fails later.
   */
  protected object<Class extends ObjectClass>(type: Class, id: string, options: CallOptions = {}): Stub<Class> {
    return this.#scope.turn().stub(type.type, id, options) as Stub<Class>;
  }

  /**
   * Sends calls to another object that commit with this turn: if the turn fails, there were none; once it has committed, each
   * runs exactly once ([CALL7]). A method gives the call's id at once: `onOutcome` names the method of this object that is to
   * hear the outcome. @throws EdgeverseError `INVALID_ARGUMENT`, `PAYLOAD_TOO_LARGE`, `OVERLOADED`
   *
   * @example
   * this.outbox(Payment, id, { onOutcome: "paid", expiresIn: 60_000 }).pay({ amount });
   */
  protected outbox<Class extends ObjectClass>(type: Class, id: string, options: OutboxOptions<keyof this> = {}) {
    return this.#scope.turn().outbox(type.type, id, options) as Outbox<Class>;
  }

  /**
   * Takes objects of this object's shard, and lets `work` call them: what those calls do commits with this turn, or none of it
   * happens ([TX1]). The objects stay taken until this turn ends. To be awaited, and before anything else is.
   *
   * @example
   * await this.transact([[Account, from], [Account, to]], async (payer, payee) => {
   *   await payer.withdraw({ amount });
   *   await payee.deposit({ amount });
   * });
   */
  protected transact<const Objects extends Participants, Result>(
    objects: Objects,
    work: (...stubs: StubsOf<Objects>) => Result | Promise<Result>,
  ): Promise<Result> {
    const names = objects.map(([type, id]): ObjectName => [type.type, id]);
    return this.#scope.turn().transact(names, work as TransactionWork) as Promise<Result>;
  }

  /**
   * Refuses the call: `this.fail("INSUFFICIENT_FUNDS", "balance is 3")` throws, the caller gets `CALL_FAILED` (422) with
   * `reason: "INSUFFICIENT_FUNDS"`, and the turn rolls back. For a reliable call it is the final outcome.
   *
   * @throws EdgeverseError `CALL_FAILED`, always
   */
  protected fail(reason: string, message: string, details?: unknown): never {
    throw new EdgeverseError("CALL_FAILED", message, { reason, details });
  }

  /**
   * A call id for a reliable call that this method makes: the same on every attempt of a reliable call, so that what it
   * calls runs once however often it is tried; a new one each time in a plain call. `label` tells several calls apart.
   */
  protected callIdFor(label: string): string {
    return this.#scope.turn().callIdFor(label);
  }

  /** Deletes this object when the turn commits. */
  protected deleteSelf(): void {
    this.#scope.turn().deleteSelf();
  }

  /** Runs once, in the object's first turn, with the request as `static create` parsed it; where a call creates it, with none. */
  protected onCreate(_request: unknown): void | Promise<void> {}
  /** Runs whenever an instance was made, before its first method. */
  protected onActivate(): void | Promise<void> {}
  /** Runs in a turn of its own before the instance leaves memory. Not run when the platform ends the process. */
  protected onDeactivate(_reason: DeactivationReason): void | Promise<void> {}
  /** Runs in the turn that deletes the object. */
  protected onDelete(): void | Promise<void> {}
}

/** What `VirtualObject.withState` gives to be extended. */
export type StatefulClass<Schema extends z.ZodType> = Omit<typeof VirtualObject, "prototype" | "state"> & {
  readonly state: Schema;
} & (abstract new () => VirtualObject<z.output<Schema>>);

/** A class that `defineHost` takes: a concrete `VirtualObject` with its static description. */
export interface ObjectClass {
  new (): VirtualObject<unknown>;
  readonly type: string;
  readonly state: z.ZodType;
  readonly methods: Readonly<Record<string, MethodOptions>>;
  readonly version: number;
  readonly autoCreate: boolean;
  readonly create: z.ZodType | undefined;
  readonly reentrant: boolean;
  readonly timeout: string | undefined;
  readonly retention: string | undefined;
  readonly log: "write-ahead" | "write-behind";
  readonly autoLoad: "global" | "shard" | "partition" | undefined;
  shardBy?(id: string): string | undefined;
  onMove?(move: ShardMove): MoveVote;
  upgrade(old: unknown, from: number): unknown;
}

/** The declared methods of `Class` that its instances really have. */
export type MethodName<Class extends ObjectClass> = keyof Class["methods"] & keyof InstanceType<Class> & string;

/**
 * A remote view of an object: its declared methods, each answering with a promise ([OBJ5]). Requests are what the method's
 * schema takes, responses what JSON leaves of what the method returns.
 */
export type Stub<Class extends ObjectClass> = {
  readonly [Name in MethodName<Class>]: InstanceType<Class>[Name] extends (...parameters: never[]) => infer Response
    ? (...request: CallerRequest<Class["methods"][Name]>) => Promise<JsonResponse<Awaited<Response>>>
    : never;
};

/** The declared methods of an object, each of which sends a call and gives its id. */
export type Outbox<Class extends ObjectClass> = {
  readonly [Name in MethodName<Class>]: (...request: CallerRequest<Class["methods"][Name]>) => string;
};

/** The objects of a transaction, each by its class and id. */
export type Participants = readonly (readonly [type: ObjectClass, id: string])[];

/** Their stubs, in the same order. */
export type StubsOf<Objects extends Participants> = {
  -readonly [Index in keyof Objects]: Objects[Index] extends readonly [infer Class extends ObjectClass, string]
    ? Stub<Class>
    : never;
};

/** The parameters of a call. */
type CallerRequest<Method> = Method extends { readonly request: infer Schema extends z.ZodType }
  ? RequestParameter<Schema>
  : [];

/** What creating an object takes: its request, and options. */
export type CreateParameters<Class extends ObjectClass, Options> = Class["create"] extends z.ZodType
  ? [...request: RequestParameter<Class["create"]>, options?: Options]
  : [request?: undefined, options?: Options];

/** Optional where the schema takes no request or `{}`. */
type RequestParameter<Schema extends z.ZodType> =
  undefined extends z.input<Schema>
    ? [request?: z.input<Schema>]
    : Record<never, never> extends z.input<Schema>
      ? [request?: z.input<Schema>]
      : [request: z.input<Schema>];
