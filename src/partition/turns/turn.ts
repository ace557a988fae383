import type { EdgeverseError } from "../../errors/edgeverse-error.ts";

import type { CallContext, Caller, CallInfo, CallOptions } from "../../object/call.ts";
import type { ClientMessages } from "../../object/client-messages.ts";
import type { ChainLink } from "../../object/message.ts";
import type { OutboxOptions } from "../../object/outbox.ts";
import type { MethodDefinition } from "../../object/registry.ts";
import type { ObjectReminders } from "../../object/reminder.ts";
import type { TurnScope } from "../../object/scope.ts";
import type { ObjectStore } from "../../object/store.ts";
import type { ObjectName, TransactionWork } from "../../object/transaction.ts";
import type { VirtualObject } from "../../object/virtual-object.ts";
import { derivedCallId } from "../../reliable/fingerprint.ts";
import type { Activation, Base, Instance } from "./activation.ts";
import type { Outcome } from "./outcome.ts";
import type { Services } from "./services.ts";
import type { Transaction } from "./transaction.ts";
import { asCaller, contextOf } from "./turn-context.ts";
import type { TurnEffects } from "./turn-effect.ts";
import type { TurnStore } from "./turn-store.ts";

export type TurnActivation = Activation<Turn>;
export type TurnServices = Services<Turn>;

/** What a turn is to do, and what becomes of its result. */
export interface TurnPlan {
  readonly kind: "call" | "create" | "delete" | "deactivate";
  readonly readonly: boolean;
  /** The method, for a call. */
  readonly method?: MethodDefinition;
  /** The method returns a promise, or may: code after its awaits must find its turn. */
  readonly async: boolean;
  readonly info: CallInfo;
  /** Ms the turn may take from its start; without it only `info.deadline` counts, and also while it waits. */
  readonly timeout?: number | undefined;
  /** The turn of this partition that waits for this one. */
  readonly parent?: Turn | undefined;
  /** The turn on the same object that this one runs inside; without it, one of a reentrant type that the call came back to. */
  readonly inside?: Turn | undefined;
  /** It takes its object for this transaction, which ends it. */
  readonly transaction?: Transaction<Turn> | undefined;
  /** Turns of other partitions that wait for this one. */
  readonly chain?: readonly ChainLink[] | undefined;
  /** Names its request, where the request id does not. */
  readonly ticket?: string | undefined;
  /** It was accepted before, as a reliable call: the mailbox's bound does not count, and its callers wait since then. */
  readonly admitted?: boolean | undefined;
  /** What `onCreate` gets, parsed; without it, what the type's schema makes of no request. */
  readonly creation?: unknown;
  /** Runs the method on the instance. */
  run(instance: VirtualObject<unknown>): unknown;
  /** Makes the result fit to leave; throws `EdgeverseError`, and the turn rolls back. */
  encode(value: unknown, turn: Turn): unknown;
  /** Called once, as the turn ends: its effects are then part of the next group commit, or gone. */
  finish(outcome: Outcome): void;
}

/** A call that a turn has sent by message and waits for. */
export interface Awaited {
  readonly turn: Turn;
  readonly key: string;
  readonly readonly: boolean;
}

/**
 * One turn on one object. It changes nothing outside itself while it runs: it works on its own copy of the state, made from
 * the text the object's last turn left when it first asks for it; rows gather in its store. `TurnEngine` publishes both when
 * it succeeds. A state that code keeps after its turn has no effect.
 */
export class Turn implements TurnScope {
  readonly activation: TurnActivation;
  plan: TurnPlan;
  readonly services: TurnServices;
  status: "waiting" | "running" | "ended" = "waiting";
  /** The instance it runs on. */
  instance: Instance<Turn> | undefined;
  /** When it must have ended. */
  deadline: number;
  /** For a turn that runs inside another one on the same object ([TURN7], reentrant types): that turn. */
  outer: Turn | undefined;
  /** Alone on its object; false for readonly turns that may have company, and for inner turns. */
  exclusive = true;
  /** Whether it may change anything: hooks may, and methods that are not readonly. */
  mutable = true;
  /** Reads an object that is not there, on an instance of its own: nothing of it is kept ([LIFE1]). */
  detached = false;
  created = false;
  deleted = false;
  /** A call that ran inside it was rolled back, and may have left something in the instance's private fields. */
  spoiled = false;
  /** Text of the state it starts from. */
  text = "";
  /** The state it leaves and what its type's indexes have of it, as texts, once both are known to be fit. */
  left: { readonly text: string; readonly entries: string | undefined } | undefined;
  /** Whether `working` was made. */
  touched = false;
  working: unknown;
  /** Turns of this partition that it waits for; those that ended at once never were among them. */
  children: Set<Turn> | undefined;
  awaits: Set<Awaited> | undefined;
  /** The transaction that it has begun. */
  transaction: Transaction<Turn> | undefined;
  /** Its method runs, and has waited for nothing yet. */
  fresh = false;
  cancelDeadline: (() => void) | undefined;
  /** What it does beside; undefined as long as that is nothing. */
  effects: TurnEffects | undefined;
  /** What its object was when it began. */
  base: Base;
  /** When it started: what `this.now()` says all through it. */
  startedAt = 0;
  #view: unknown;
  #asCaller: Caller | undefined;
  #context: CallContext | undefined;
  #store: TurnStore | undefined;
  #id: string | undefined;

  constructor(activation: TurnActivation, plan: TurnPlan, services: TurnServices) {
    this.activation = activation;
    this.plan = plan;
    this.services = services;
    this.deadline = plan.info.deadline;
    this.base = activation.base;
  }

  static #count = 0;

  /** Names this turn in the partition's present process. */
  get id(): string {
    this.#id ??= `${this.plan.info.requestId}.${Turn.#count++}`;
    return this.#id;
  }

  get context(): CallContext {
    this.#context ??= contextOf(this.plan.info, this.deadline);
    return this.#context;
  }

  /** The turn's object, as the objects that it calls see it. */
  get asCaller(): Caller {
    this.#asCaller ??= asCaller(this.activation.definition.type, this.activation.id, this.plan.info);
    return this.#asCaller;
  }

  get now(): number {
    this.#check();
    return this.startedAt;
  }

  get state(): unknown {
    this.#check();
    if (!this.mutable) return this.#view;
    if (!this.touched) this.#touch(JSON.parse(this.text));
    return this.working;
  }

  set state(value: unknown) {
    this.checkMutable("change the state of");
    this.#touch(value);
  }

  get store(): ObjectStore {
    this.#check();
    return this.openStore();
  }

  openStore(): TurnStore {
    this.#store ??= this.services.openStore(this);
    return this.#store;
  }

  get openedStore(): TurnStore | undefined {
    return this.#store;
  }

  close(): void {
    this.#store?.close();
    this.effects?.close();
  }

  outbox(type: string, id: string, options: OutboxOptions): object {
    this.checkMutable("send from");
    return this.services.outbox(this, type, id, options);
  }

  get clients(): ClientMessages {
    this.checkMutable("send from");
    return this.services.clients(this);
  }

  get reminders(): ObjectReminders {
    this.#check();
    return this.services.reminders(this);
  }

  emit(topic: string, event: unknown): string {
    return this.services.emit(this, topic, event);
  }

  stub(type: string, id: string, options: CallOptions): object {
    this.#check();
    return this.services.stub(this, type, id, options);
  }

  transact(objects: readonly ObjectName[], work: TransactionWork): Promise<unknown> {
    this.checkMutable("begin a transaction of");
    return this.services.transact(this, objects, work);
  }

  deleteSelf(): void {
    this.checkMutable("delete");
    this.deleted = true;
  }

  checkMutable(what: string): void {
    this.#check();
    if (!this.mutable) throw new TypeError(`Cannot ${what} ${this.activation.key}: ${this.restriction}`);
  }

  callIdFor(label: string): string {
    this.#check();
    const { callId } = this.plan.info;
    return callId === undefined ? this.services.uuid() : derivedCallId(this.activation.key, callId, label);
  }

  /** Why the turn may not change anything: its method, or the one it runs inside, is declared readonly. */
  get restriction(): string {
    let by: Turn = this;
    while (!by.plan.readonly && by.outer !== undefined) by = by.outer;
    const declared = `${this.activation.definition.type}.${by.plan.method?.name} is declared readonly`;
    return by === this
      ? declared
      : `${this.plan.method?.name} runs inside a call of ${by.plan.method?.name}, and ${declared}`;
  }

  /** From here on the turn sees `view`, frozen, and changes nothing. */
  restrict(view: unknown): void {
    this.mutable = false;
    this.#view = view;
  }

  /** The state as text, as the turn has it now. */
  currentText(): string {
    return this.touched ? JSON.stringify(this.working) : this.text;
  }

  /** The turn that called it waits for it from now on, if it is one of this partition. */
  beginWait(): void {
    const { parent } = this.plan;
    if (parent === undefined) return;
    parent.children ??= new Set();
    parent.children.add(this);
  }

  endWait(): void {
    this.plan.parent?.children?.delete(this);
  }

  /**
   * Lets go of all that it worked on, once it has ended: code that never ends, and whatever that code has set up, may hold the
   * turn for ever.
   */
  release(): void {
    this.plan = ended(this.plan);
    this.instance = undefined;
    this.text = "";
    this.left = undefined;
    this.working = undefined;
    this.effects = undefined;
    this.transaction = undefined;
    this.outer = undefined;
    this.#view = undefined;
    this.#store = undefined;
  }

  /** Ends it before it has begun. */
  dismiss(error: EdgeverseError): void {
    this.status = "ended";
    this.cancelDeadline?.();
    this.endWait();
    this.plan.finish({ ok: false, error });
  }

  #touch(value: unknown): void {
    this.working = value;
    this.touched = true;
  }

  #check(): void {
    if (this.status !== "running") throw this.services.over(this);
  }
}

/** What may be asked of the plan of a turn that has ended: neither its request nor who waits for it. */
function ended({ kind, readonly, method, async, info }: TurnPlan): TurnPlan {
  const plan = { kind, readonly, async, info, run() {}, encode() {}, finish() {} };
  return method === undefined ? plan : { ...plan, method };
}
