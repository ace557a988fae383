import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { type Placement, shardOf } from "../../identity/object-id.ts";
import { objectKey } from "../../object/message.ts";
import type { Registry, TypeDefinition } from "../../object/registry.ts";
import type { ObjectName, TransactionWork } from "../../object/transaction.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import { readable } from "../storage/refusal.ts";
import type { Outbound } from "./outbound.ts";
import { Transaction } from "./transaction.ts";
import type { Turn, TurnActivation, TurnPlan } from "./turn.ts";
import type { TurnEngine } from "./turn-engine.ts";
import { YIELD } from "./yielding.ts";

/** Objects that one transaction may take. */
export const MAX_PARTICIPANTS = 100;

interface Parts {
  readonly registry: Registry;
  readonly commit: GroupCommit;
  readonly outbound: Outbound;
  readonly engine: () => TurnEngine;
  /** How many shards there are. */
  shards(): number;
  /** The activation of an object of this partition that `turn` may call at once. */
  activation(turn: Turn, definition: TypeDefinition, id: string): TurnActivation | undefined;
}

interface Participant {
  readonly key: string;
  readonly definition: TypeDefinition;
  readonly id: string;
}

/**
 * Transactions on one shard ([TX1–5]): a turn takes other objects, changes them with its own, and all of it commits with the
 * turn or not at all.
 *
 * | what happens                                       | then                                                              |
 * |----------------------------------------------------|-------------------------------------------------------------------|
 * | bad list: places, duplicates, count, nested         | `INVALID_ARGUMENT` before anything is taken                       |
 * | an object is busy                                   | waits, until the turn's deadline; others wait behind it            |
 * | turns would wait for one another's objects          | the youngest that has done nothing else begins again; else `DEADLOCK` |
 * | an object's turn waits for this turn                | `DEADLOCK`                                                        |
 * | `onCreate` or `onActivate` fails, `autoCreate: false` | `transact` throws that                                            |
 * | a call of an object fails, also if that is caught   | `transact` throws that                                            |
 * | the function throws                                 | `transact` throws that                                            |
 * | `onDelete` fails, a state is unfit, rows are too many | `transact` throws that: nothing is published by then              |
 * | `transact` has thrown, and the method goes on       | nothing of it is left; another one may begin                      |
 * | the method fails after it, or does not await it     | nothing of it is left                                             |
 * | deadline, reset, a refused commit of what it saw    | the turn ends, and its transaction with it                        |
 * | the commit refuses one object                       | it refuses all: they are one unit                                 |
 * | the shard is to be handed off                       | the hand-off waits; objects may still be taken                    |
 */
export class Transactions {
  readonly #parts: Parts;
  /** By plan: that is the same when a turn begins again. */
  readonly #ages = new WeakMap<TurnPlan, number>();
  #begun = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @throws EdgeverseError; nothing has happened then */
  async run(turn: Turn, objects: readonly ObjectName[], work: TransactionWork): Promise<unknown> {
    const { fresh } = turn;
    const participants = this.#check(turn, objects);
    const transaction = new Transaction(turn, this.#ageOf(turn), fresh);
    turn.transaction = transaction;
    try {
      if (!(await this.#takeAll(turn, transaction, participants))) return new Promise(() => undefined);
      const stubs = participants.map((participant) => this.#stub(turn, transaction, participant));
      const result = await work(...(stubs as never[]));
      await transaction.settle();
      return result;
    } catch (error) {
      const given = new EdgeverseError("UNAVAILABLE", "The transaction was given up");
      for (const held of transaction.end()) this.#parts.engine().fail(held, given);
      if (turn.transaction === transaction) turn.transaction = undefined;
      throw error;
    }
  }

  /** @throws EdgeverseError `INVALID_ARGUMENT`, `INVALID_ID`, `TYPE_NOT_FOUND` */
  #check(turn: Turn, objects: readonly ObjectName[]): Participant[] {
    const { registry, shards } = this.#parts;
    const own = turn.activation;
    if (turn.plan.readonly)
      throw refused(`a turn of ${own.key} that only reads`, "declare its method without readonly");
    if (turn.outer !== undefined || turn.plan.transaction !== undefined)
      throw refused(`${own.key}, in a call that runs inside another turn`, "transactions don't nest");
    if (turn.transaction !== undefined) throw refused(`${own.key}, which has one already`, "name all objects in one");
    if (objects.length === 0 || objects.length > MAX_PARTICIPANTS)
      throw refused(`${objects.length} objects`, `it takes 1 to ${MAX_PARTICIPANTS}`);
    const place = placeOf(registry.placement(own.definition.type, own.id), shards());
    const participants = new Map<string, Participant>();
    for (const [type, id] of objects) {
      const definition = registry.type(type);
      const key = objectKey(type, id);
      if (participants.has(key)) throw refused(`${key} twice`, "name each object once");
      const other = placeOf(registry.placement(type, id), shards());
      if (other !== place) {
        const how = 'place them together by a "static shardBy" of their types, or by ids "shard#<n>/…"';
        throw refused(`${key} on ${other}, as ${own.key} is on ${place}`, how);
      }
      participants.set(key, { key, definition, id });
    }
    return [...participants.values()];
  }

  /**
   * Takes the objects in the order of their keys, so that transactions never wait for one another in a circle. Only the
   * turn's own object was taken before: should that close a circle, a turn on it begins again.
   *
   * @returns false when the turn begins again, and this run of it is over
   */
  async #takeAll(turn: Turn, transaction: Transaction<Turn>, participants: readonly Participant[]): Promise<boolean> {
    for (const participant of this.inOrder(participants)) {
      try {
        await this.#take(turn, transaction, participant);
      } catch (error) {
        if (error !== YIELD) throw error;
        transaction.checkOpen();
        this.#parts.engine().restart(turn);
        return false;
      }
      transaction.checkOpen();
    }
    transaction.yields = false;
    return true;
  }

  /** The order in which objects are taken. */
  inOrder<Object extends { readonly key: string }>(objects: readonly Object[]): Object[] {
    return objects.toSorted((left, right) => (left.key < right.key ? -1 : 1));
  }

  #ageOf({ plan }: Turn): number {
    const known = this.#ages.get(plan);
    if (known !== undefined) return known;
    this.#ages.set(plan, ++this.#begun);
    return this.#begun;
  }

  async #take(turn: Turn, transaction: Transaction<Turn>, { key, definition, id }: Participant): Promise<void> {
    const { commit, engine } = this.#parts;
    const own = key === turn.activation.key;
    const activation = own ? turn.activation : readable(() => this.#parts.activation(turn, definition, id));
    if (activation === undefined) throw new EdgeverseError("UNAVAILABLE", `Cannot take ${key}: its shard has moved`);
    const { requestId, traceparent } = turn.context;
    const taken = Promise.withResolvers<void>();
    let got = false;
    const held = engine().submit(activation, {
      kind: "call",
      readonly: false,
      async: true,
      info: { caller: turn.asCaller, deadline: turn.deadline, callId: undefined, requestId, traceparent },
      parent: turn,
      inside: own ? turn : undefined,
      transaction,
      run: () => {
        transaction.checkOpen();
        got = true;
        taken.resolve();
        return transaction.closing;
      },
      encode: () => undefined,
      finish: (outcome) => {
        // The turn's own object joins the turn as soon as it is prepared.
        if (outcome.ok) transaction.prepared();
        else if (got) transaction.lost(outcome.error);
        else taken.reject(outcome.error);
      },
    });
    await taken.promise;
    // What it will see of the object may not be committed yet.
    commit.link(turn.activation, activation);
    transaction.take(held);
  }

  /** Its calls run one after the other, inside the turn that holds the object. */
  #stub(turn: Turn, transaction: Transaction<Turn>, { key, definition, id }: Participant): object {
    const { registry, outbound } = this.#parts;
    const held = transaction.held.find(({ activation }) => activation.key === key) as Turn;
    let last: Promise<unknown> = Promise.resolve();
    return definition.makeStub((name, request) => {
      const call = last.then(() => {
        transaction.checkOpen();
        return outbound.inside(held, turn, registry.methodFor(turn.asCaller, definition, id, name), request);
      });
      last = call.catch(() => undefined);
      transaction.track(call);
      return call;
    });
  }
}

/** Where an object is: its shard, or the partition that its id names. @throws EdgeverseError `INVALID_ID` */
function placeOf(placement: Placement, shards: number): string {
  return placement.kind === "partition" ? `partition ${placement.partition}` : `shard ${shardOf(placement, shards)}`;
}

function refused(what: string, remedy: string): EdgeverseError {
  return new EdgeverseError("INVALID_ARGUMENT", `Cannot begin a transaction of ${what}: ${remedy}`);
}
