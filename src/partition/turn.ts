import type { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { CallInfo, CallOptions } from "../object/call.ts";
import type { ChainLink } from "../object/message.ts";
import type { ObjectStore } from "../object/store.ts";
import type { TurnScope, VirtualObject } from "../object/virtual-object.ts";
import type { Cell } from "./cell.ts";
import type { TurnStore } from "./turn-store.ts";

export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: EdgeverseError };

/** What a turn is to do, and what becomes of its result. */
export interface TurnPlan {
  readonly kind: "call" | "create" | "delete" | "deactivate";
  readonly readonly: boolean;
  readonly info: CallInfo;
  /** The turn of this partition that waits for this one. */
  readonly parent?: Turn | undefined;
  /** Turns of other partitions that wait for this one. */
  readonly chain?: readonly ChainLink[] | undefined;
  /** It was let in before, as a reliable call: the mailbox's bound is not for it. */
  readonly admitted?: boolean;
  /** Runs the method on the instance. */
  run(instance: VirtualObject<unknown>): unknown;
  /** Makes the result fit to leave; throws `EdgeverseError`, and the turn rolls back. */
  encode(value: unknown, turn: Turn): unknown;
  /** Called once, as the turn ends: its effects are then part of the next group commit, or gone. */
  finish(outcome: Outcome): void;
}

/** What the turn's stubs and store reach beyond the turn itself. */
export interface TurnServices {
  stub(turn: Turn, type: string, id: string, options: CallOptions): object;
  openStore(turn: Turn): TurnStore;
  /** What whoever still touches an ended turn gets to see. */
  over(turn: Turn): Error;
}

/**
 * One turn on one object. It changes nothing outside itself while it runs: the state it works on is the activation's own,
 * dropped if the turn fails; rows gather in its store. `TurnEngine` publishes both when it succeeds.
 */
export class Turn implements TurnScope {
  readonly cell: Cell;
  readonly plan: TurnPlan;
  readonly services: TurnServices;
  status: "waiting" | "running" | "ended" = "waiting";
  /** For a turn that runs inside another one on the same object ([TURN7], reentrant types): that turn. */
  outer: Turn | undefined;
  /** Alone on its object; false for readonly turns that may have company. */
  exclusive = true;
  /** Whether it may change anything: hooks may, and methods that are not readonly. */
  mutable = true;
  created = false;
  deleted = false;
  /** The live state an exclusive turn works on. */
  working: unknown;
  /** The frozen state a readonly method sees. */
  view: unknown;
  /** Keys of objects whose answer this turn awaits, with multiplicity. */
  waitsFor: Map<string, number> | undefined;
  cancelDeadline: (() => void) | undefined;
  #store: TurnStore | undefined;
  #id: string | undefined;

  constructor(cell: Cell, plan: TurnPlan, services: TurnServices) {
    this.cell = cell;
    this.plan = plan;
    this.services = services;
  }

  static #count = 0;

  /** Tells this turn from every other of the partition's present process. */
  get id(): string {
    this.#id ??= `${this.plan.info.requestId}.${Turn.#count++}`;
    return this.#id;
  }

  get call(): CallInfo {
    return this.plan.info;
  }

  get state(): unknown {
    this.#check();
    if (this.outer !== undefined) return this.outer.state;
    return this.mutable ? this.working : this.view;
  }

  set state(value: unknown) {
    this.checkMutable("change the state");
    if (this.outer === undefined) this.working = value;
    else this.outer.state = value;
  }

  get store(): ObjectStore {
    this.#check();
    return this.openedStore ?? this.#open();
  }

  get openedStore(): TurnStore | undefined {
    return this.outer === undefined ? this.#store : this.outer.openedStore;
  }

  stub(type: string, id: string, options: CallOptions): object {
    this.#check();
    return this.services.stub(this, type, id, options);
  }

  deleteSelf(): void {
    this.checkMutable("delete the object");
    if (this.outer === undefined) this.deleted = true;
    else this.outer.deleteSelf();
  }

  checkMutable(what: string): void {
    this.#check();
    if (!this.mutable) throw new TypeError(`Cannot ${what} in a readonly method`);
  }

  /** The turns that wait for this one, nearest first: this turn itself, its callers here, then those elsewhere. */
  *ancestry(): Generator<{ key: string; turn: Turn | undefined; id: string }> {
    let turn: Turn = this;
    for (;;) {
      yield { key: turn.cell.key, turn, id: turn.id };
      if (turn.plan.parent === undefined) break;
      turn = turn.plan.parent;
    }
    const remote = turn.plan.chain ?? [];
    for (let index = remote.length - 1; index >= 0; index--) {
      const link = remote[index] as ChainLink;
      yield { key: link.key, turn: undefined, id: link.turn };
    }
  }

  /** The chain a call of this turn carries to another partition, oldest first. */
  outgoingChain(): ChainLink[] {
    return [...this.ancestry()].map(({ key, id }) => ({ key, turn: id })).reverse();
  }

  awaiting(key: string, change: 1 | -1): void {
    this.waitsFor ??= new Map();
    const count = (this.waitsFor.get(key) ?? 0) + change;
    if (count === 0) this.waitsFor.delete(key);
    else this.waitsFor.set(key, count);
  }

  #open(): TurnStore {
    if (this.outer !== undefined) return this.outer.store as TurnStore;
    this.#store = this.services.openStore(this);
    return this.#store;
  }

  #check(): void {
    if (this.status !== "running") throw this.services.over(this);
  }
}
