import * as z from "zod";
import type { TypeAccess } from "../access/access.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { CallContext, CallOptions } from "./call.ts";
import type { DeactivationReason } from "./deactivation-reason.ts";
import type { EventData, EventSchemas } from "./event.ts";
import type { LiveOptions } from "./live.ts";
import type { LogPolicy, MethodOptions } from "./method.ts";
import type { IndexFunction } from "./object-index.ts";
import type { OutboxOptions } from "./outbox.ts";
import type { Reminder, ReminderTime } from "./reminder.ts";
import type { ObjectScope } from "./scope.ts";
import type { MoveVote, ShardMove } from "./shard-move.ts";
import type { ObjectStore } from "./store.ts";
import type { CallableClass, Outbox, Participants, Stub, StubsOf } from "./stub-types.ts";
import type { ObjectName, TransactionWork } from "./transaction.ts";

declare global {
  namespace Cloudflare {
    /** The Worker's bindings. `wrangler types` or the author says what they are; declarations merge. */
    interface Env {}
  }
}

/** Carries the type of the state on the instance; there is no such member when code runs. */
export declare const stateType: unique symbol;
/** The same of its events. */
export declare const eventsType: unique symbol;

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
 * @typeParam Events the type of `static events`, as in `class Order extends VirtualObject<State, typeof Order.events>`
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
export abstract class VirtualObject<State = unknown, Events = unknown> {
  /** The name callers use: `[A-Za-z][A-Za-z0-9_]{0,63}`. */
  static readonly type: string = "";
  /** Schema of the state, which is JSON. A new object's state is what it makes of `{}`. */
  static readonly state: z.ZodType = z.object({});
  /** Exactly what others may call. */
  static readonly methods: Readonly<Record<string, MethodOptions>> = {};
  /** Schemas of the events that its objects tell the outside, by their topics, such as `"order.paid"` ([EVT1]). */
  static readonly events: EventSchemas = {};
  /** Version of the state's shape; rows of an older one go through `upgrade` first. */
  static readonly version: number = 1;
  /** What objects are found by: functions of the state, by the names of the indexes ([IDX1]). */
  static readonly index: Readonly<Record<string, IndexFunction>> = {};
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
  /** Which clients may call its methods. Without it, and without a rule of the host, none may ([ACC3]). */
  static readonly access: TypeAccess | undefined = undefined;
  /** Log policy of reliable calls. */
  /** Which clients may watch its objects, and what they see of them ([PUSH11]); without it none. */
  static readonly live: LiveOptions | undefined = undefined;
  static readonly log: LogPolicy = "write-behind";
  /**
   * Objects that are in memory as soon as their place is owned, and follow it: `"global"`, the one called `auto`; `"shard"`,
   * one on every shard in use, called `shard#<n>/auto`; `"partition"`, one on every partition, called `partition#<name>/auto`.
   */
  static readonly autoLoad: "global" | "shard" | "partition" | undefined = undefined;

  /** The text that is hashed in an id's place: ids that give one text share a shard. Never to be changed once objects are stored. */
  static shardBy?(id: string): string | undefined;

  /** Asked before a shard that holds objects of this type moves; may refuse the move, or put it off. */
  static onMove?(move: ShardMove): MoveVote;

  /** The base class of objects with this state, `extends VirtualObject.withState(z.object({ … }))`, and with these events. */
  static withState<Schema extends z.ZodType, Events extends EventSchemas = Record<never, never>>(
    state: Schema,
    events: Events = {} as Events,
  ): StatefulClass<Schema, Events> {
    abstract class Stateful extends VirtualObject<z.output<Schema>, Events> {
      static override readonly state = state;
      static override readonly events = events;
    }
    return Stateful;
  }

  /** Brings a state that version `from` wrote to the present shape, before it is parsed. */
  static upgrade(old: unknown, _from: number): unknown {
    return old;
  }

  /** For the compiler alone: the type of the state. */
  declare readonly [stateType]?: State;
  declare readonly [eventsType]?: Events;
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
  protected object<Class extends CallableClass>(type: Class, id: string, options: CallOptions = {}): Stub<Class> {
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
  protected outbox<Class extends CallableClass>(type: Class, id: string, options: OutboxOptions<keyof this> = {}) {
    return this.#scope.turn().outbox(type.type, id, options) as Outbox<Class>;
  }

  /** Sends a message to one client, by its id; with this turn ([PUSH4]). It is a JSON value of 128 KiB at most. */
  protected push(client: string, message: unknown): void {
    this.#scope.turn().clients.push(client, message);
  }

  /** The same to every client that listens to the topic, such as `"room/42"`. */
  protected publish(topic: string, message: unknown): void {
    this.#scope.turn().clients.publish(topic, message);
  }

  /** The same to every client that is connected, or may come back to its session. */
  protected broadcast(message: unknown): void {
    this.#scope.turn().clients.broadcast(message);
  }

  /**
   * Has a method of this object called later ([TIME1]): a reliable call, whose `this.context.caller.reminder` says when it was
   * due. Set with this turn, in the place of the reminder that has the same name.
   *
   * @returns when it is due, ms since the epoch
   * @throws EdgeverseError `INVALID_ARGUMENT`, `METHOD_NOT_FOUND`, `PAYLOAD_TOO_LARGE`, `OVERLOADED`
   * @example
   * this.remind("close", { after: 3_600_000 }, "close");
   * this.remind("report", { cron: "0 9 * * 1-5", timeZone: "Europe/Berlin" }, "report", { to: "ann" });
   */
  protected remind(name: string, time: ReminderTime, method: keyof this & string, request?: unknown): number {
    return this.#scope.turn().reminders.set(name, time, method, request);
  }

  /** Forgets a reminder with this turn; says whether there was one. One that is due already is a call in line, and stays. */
  protected forget(name: string): boolean {
    return this.#scope.turn().reminders.forget(name);
  }

  /** This object's reminders as this turn leaves them, the next one first. */
  protected reminders(): Reminder[] {
    return this.#scope.turn().reminders.list();
  }

  /**
   * Tells the outside: an event that commits with this turn, and then reaches each sink of its topic at least once, in order
   * with the others of this object ([EVT1]). Gives the event's id. @throws EdgeverseError `INVALID_ARGUMENT`,
   * `PAYLOAD_TOO_LARGE`, `OVERLOADED`
   *
   * @example
   * this.emit("order.paid", { amount });
   */
  protected emit<Topic extends keyof Events & string>(topic: Topic, event: EventData<Events, Topic>): string {
    return this.#scope.turn().emit(topic, event);
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
export type StatefulClass<Schema extends z.ZodType, Events extends EventSchemas> = Omit<
  typeof VirtualObject,
  "prototype" | "state" | "events"
> & {
  readonly state: Schema;
  readonly events: Events;
} & (abstract new () => VirtualObject<z.output<Schema>, Events>);
