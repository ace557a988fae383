import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { exceedsBytes, jsonText, NotJsonError } from "../object/json.ts";
import type { AsyncScope, Clock, SqlStorage } from "../platform/ports.ts";
import { checkState, hooksOf, load, makeActivation, parseState } from "./activate.ts";
import type { Activation, Cell } from "./cell.ts";
import type { Cells } from "./cells.ts";
import type { Deadlines } from "./deadlines.ts";
import { closesCircle, deadlock, ownAncestor } from "./deadlock.ts";
import type { GroupCommit } from "./group-commit.ts";
import { andThen, type MaybePromise } from "./maybe-promise.ts";
import type { Observer } from "./ports.ts";
import { type Outcome, Turn, type TurnPlan, type TurnServices } from "./turn.ts";

export interface TurnEngineParts {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly scope: AsyncScope<Turn>;
  readonly cells: Cells;
  readonly commit: GroupCommit;
  readonly deadlines: Deadlines;
  readonly observer: Observer;
  readonly services: TurnServices;
  readonly limits: { readonly mailbox: number; readonly partitionMailbox: number; readonly maxState: number };
}

/**
 * Runs turns ([TURN1–7]). What becomes of one:
 *
 * | status  | event                          | becomes | effects                                        |
 * |---------|--------------------------------|---------|------------------------------------------------|
 * | –       | would wait for itself          | ended   | none: DEADLOCK                                 |
 * | –       | mailbox or partition full      | ended   | none: OVERLOADED                               |
 * | –       | object free                    | running |                                                |
 * | –       | object busy                    | waiting |                                                |
 * | waiting | its turn has come              | running |                                                |
 * | waiting | deadline, reset                | ended   | none                                           |
 * | running | method returned, result is fit | ended   | published: in the next group commit            |
 * | running | method threw, result unfit     | ended   | none: activation dropped                       |
 * | running | deadline, reset                | ended   | none: activation dropped; the method's code may go on, but reaches nothing |
 *
 * A turn whose method never waits starts and ends within `submit`, without a promise or a timer.
 */
export class TurnEngine {
  readonly #parts: TurnEngineParts;
  readonly #running = new Set<Turn>();
  readonly #exclusive = (turn: Turn): boolean => !turn.plan.readonly || turn.cell.activation === undefined;
  #waiting = 0;

  constructor(parts: TurnEngineParts) {
    this.#parts = parts;
  }

  /** Turns that wait in the whole partition. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Starts a turn or lets it wait. Its end, also a refusal, is told to `plan.finish`. */
  submit(cell: Cell, plan: TurnPlan): void {
    const turn = new Turn(cell, plan, this.#parts.services);
    cell.referenced = true;
    try {
      const own = ownAncestor(turn);
      if (own?.turn !== undefined) this.#enterAgain(turn, own.turn);
      else if (cell.mailbox.admits(this.#exclusive(turn))) this.#start(turn);
      else this.#wait(turn);
    } catch (error) {
      this.#refuse(turn, error as EdgeverseError);
    }
  }

  /** @throws EdgeverseError `OVERLOADED` when one more turn may not wait for `cell` */
  checkRoom(cell: Cell): void {
    const { mailbox, partitionMailbox } = this.#parts.limits;
    const full =
      cell.mailbox.waiting + cell.held >= mailbox
        ? `${mailbox} turns wait for ${cell.key}`
        : this.#waiting >= partitionMailbox
          ? `${partitionMailbox} turns wait in this partition`
          : undefined;
    if (full !== undefined) throw new EdgeverseError("OVERLOADED", `Cannot take the call: ${full}`, { retryAfter: 1 });
  }

  /** Ends every turn without effects: the partition starts over from its database. */
  reset(error: EdgeverseError): void {
    for (const cell of this.#parts.cells.all()) {
      for (const turn of cell.mailbox.drain()) {
        this.#waiting--;
        this.#refuse(turn, error);
      }
    }
    for (const turn of [...this.#running]) this.#abandon(turn, error);
  }

  /** A call that came back to its own object ([TURN7]). */
  #enterAgain(turn: Turn, own: Turn): void {
    const { mailbox, definition } = turn.cell;
    if (turn.plan.readonly && mailbox.shared) this.#start(turn);
    else if (definition.objectClass.reentrant && own.status === "running") this.#nest(turn, own);
    else throw deadlock(turn);
  }

  #wait(turn: Turn): void {
    const circle = closesCircle(turn, this.#parts.cells.map);
    if (circle !== undefined) throw deadlock(turn, circle);
    if (turn.plan.admitted !== true) this.checkRoom(turn.cell);
    const waiting = turn.cell.mailbox.wait(turn);
    this.#waiting++;
    turn.cancelDeadline = this.#parts.deadlines.add(turn.plan.info.deadline, () => {
      if (!turn.cell.mailbox.withdraw(waiting)) return;
      this.#waiting--;
      this.#refuse(turn, late(turn, "while it waited for its turn"));
      this.#pump(turn.cell);
    });
  }

  #start(turn: Turn): void {
    const { cell, plan } = turn;
    turn.cancelDeadline?.();
    turn.cancelDeadline = undefined;
    turn.exclusive = this.#exclusive(turn);
    cell.mailbox.enter(turn, turn.exclusive);
    this.#running.add(turn);
    turn.status = "running";
    this.#follow(turn, () =>
      this.#parts.clock.now() >= plan.info.deadline
        ? Promise.reject(late(turn, "before it started"))
        : this.#perform(turn),
    );
  }

  /** Runs `work` and settles the turn with what comes of it; arms the deadline only if that takes more than this event. */
  #follow(turn: Turn, work: () => MaybePromise<unknown>): void {
    let result: MaybePromise<unknown>;
    try {
      result = work();
    } catch (error) {
      this.#fail(turn, error);
      return;
    }
    if (!(result instanceof Promise)) {
      this.#succeed(turn, result);
      return;
    }
    turn.cancelDeadline = this.#parts.deadlines.add(turn.plan.info.deadline, () =>
      this.#abandon(turn, late(turn, "while it ran")),
    );
    result.then(
      (value) => this.#succeed(turn, value),
      (error: unknown) => this.#fail(turn, error),
    );
  }

  #perform(turn: Turn): MaybePromise<unknown> {
    const { cell, plan } = turn;
    load(cell, this.#parts.storage);
    if (plan.kind === "deactivate" && cell.activation === undefined) return undefined;
    if (plan.kind === "delete") {
      if (!cell.exists) return undefined;
      turn.deleted = true;
      if (!deletable(cell)) return undefined;
    }
    const ready = cell.activation === undefined ? this.#activate(turn) : this.#adopt(turn, cell.activation);
    return andThen(ready, () => andThen(this.#invoke(turn), (value) => andThen(this.#beforeDelete(turn), () => value)));
  }

  #activate(turn: Turn): MaybePromise<unknown> {
    const { cell, plan } = turn;
    const { definition } = cell;
    turn.created = !cell.exists;
    if (turn.created && plan.kind === "call" && !definition.objectClass.autoCreate) {
      throw new EdgeverseError(
        "OBJECT_NOT_FOUND",
        `${cell.key} does not exist, and calls do not create a ${definition.type}`,
      );
    }
    const activation = makeActivation(cell, parseState(cell), this.#parts.scope, turn);
    cell.activation = activation;
    const hooks = hooksOf(activation.instance);
    const created = turn.created && definition.hooks.has("onCreate") ? hooks.onCreate() : undefined;
    return andThen(created, () => (definition.hooks.has("onActivate") ? hooks.onActivate() : undefined));
  }

  #adopt(turn: Turn, activation: Activation): undefined {
    if (turn.exclusive) {
      activation.exclusive = turn;
      turn.working = activation.value;
    }
    return undefined;
  }

  #invoke(turn: Turn): MaybePromise<unknown> {
    const activation = turn.cell.activation as Activation;
    if (turn.plan.readonly) {
      if (turn.exclusive) {
        activation.value = turn.working;
        activation.thaw();
      }
      turn.view = activation.frozen();
      turn.mutable = false;
    }
    const run = () => turn.plan.run(activation.instance);
    if (turn.exclusive && !turn.cell.definition.objectClass.reentrant) return run();
    activation.exclusive = undefined;
    return this.#parts.scope.run(turn, run);
  }

  #beforeDelete(turn: Turn): MaybePromise<unknown> {
    if (!turn.deleted || !turn.cell.definition.hooks.has("onDelete")) return undefined;
    const activation = turn.cell.activation as Activation;
    activation.exclusive = turn;
    return hooksOf(activation.instance).onDelete() as MaybePromise<unknown>;
  }

  /** Runs a turn inside `own`, on its working state; a failure takes back only what the inner turn did. */
  #nest(turn: Turn, own: Turn): void {
    const activation = turn.cell.activation as Activation;
    const state = JSON.stringify(own.working);
    const restoreStore = own.openedStore?.save();
    turn.outer = own;
    turn.mutable = !turn.plan.readonly && own.mutable;
    turn.exclusive = false;
    turn.status = "running";
    const { finish } = turn.plan;
    const undo = (outcome: Outcome) => {
      if (!outcome.ok && own.status === "running") {
        own.working = JSON.parse(state);
        restoreStore?.();
      }
      finish(outcome);
    };
    Object.assign(turn, { plan: { ...turn.plan, finish: undo } });
    this.#running.add(turn);
    this.#follow(turn, () => this.#parts.scope.run(turn, () => turn.plan.run(activation.instance)));
  }

  #succeed(turn: Turn, value: unknown): void {
    if (turn.status !== "running") return;
    let encoded: unknown;
    try {
      if (this.#parts.clock.now() >= turn.plan.info.deadline) throw late(turn, "as it ended");
      encoded = turn.plan.encode(value, turn);
      if (turn.exclusive) this.#publish(turn);
    } catch (error) {
      this.#fail(turn, error);
      return;
    }
    this.#end(turn, { ok: true, value: encoded });
  }

  /** Makes the turn's effects the object's present and part of the next group commit. Checks everything first. */
  #publish(turn: Turn): void {
    const { cell } = turn;
    if (turn.deleted) {
      cell.exists = false;
      cell.text = "";
      cell.wiped = true;
      cell.rows = undefined;
      cell.activation = undefined;
      this.#parts.commit.changed(cell);
      return;
    }
    const activation = cell.activation;
    if (activation === undefined) return;
    const text = stateText(turn, this.#parts.limits.maxState);
    const writes = turn.openedStore?.writes;
    if (text === cell.text && cell.exists && (writes === undefined || writes.size === 0)) return;
    if (writes !== undefined && writes.size > 0) {
      cell.rows ??= new Map();
      for (const [key, row] of writes) cell.rows.set(key, row);
    }
    activation.value = turn.working;
    activation.thaw();
    cell.text = text;
    cell.version = cell.definition.objectClass.version;
    cell.exists = true;
    this.#parts.cells.account(cell);
    this.#parts.commit.changed(cell);
  }

  #fail(turn: Turn, thrown: unknown): void {
    if (turn.status !== "running") return;
    if (turn.exclusive) turn.cell.activation = undefined;
    this.#end(turn, { ok: false, error: this.#asError(turn, thrown) });
  }

  /** Ends a running turn from outside. Its activation goes with it: the method's code may still hold its state. */
  #abandon(turn: Turn, error: EdgeverseError): void {
    if (turn.status !== "running") return;
    if (turn.exclusive) turn.cell.activation = undefined;
    this.#end(turn, { ok: false, error });
  }

  #end(turn: Turn, outcome: Outcome): void {
    const { cell } = turn;
    turn.status = "ended";
    turn.cancelDeadline?.();
    this.#running.delete(turn);
    cell.mailbox.leave(turn);
    cell.lastUsed = this.#parts.clock.now();
    const { activation } = cell;
    if (activation?.exclusive === turn) activation.exclusive = undefined;
    turn.plan.finish(outcome);
    this.#pump(cell);
    if (!cell.exists && cell.evictable) this.#parts.cells.forget(cell);
  }

  #refuse(turn: Turn, error: EdgeverseError): void {
    turn.status = "ended";
    turn.cancelDeadline?.();
    turn.plan.finish({ ok: false, error });
    if (turn.cell.evictable && !turn.cell.exists) this.#parts.cells.forget(turn.cell);
  }

  /** Starts what may start now. Turns that end at once come back here; the flag turns that recursion into this loop. */
  #pump(cell: Cell): void {
    if (cell.pumping) return;
    cell.pumping = true;
    for (let turn = cell.mailbox.next(this.#exclusive); turn !== undefined; turn = cell.mailbox.next(this.#exclusive)) {
      this.#waiting--;
      this.#start(turn);
    }
    cell.pumping = false;
  }

  #asError(turn: Turn, thrown: unknown): EdgeverseError {
    if (thrown instanceof EdgeverseError) return thrown;
    this.#parts.observer.methodThrew(turn.cell.key, turn.plan.info.requestId, thrown);
    return new EdgeverseError("INTERNAL", `${turn.cell.key} failed unexpectedly`, { cause: thrown });
  }
}

/** Whether `onDelete` is there and can run: an object whose row can't be read is deleted without it. */
function deletable(cell: Cell): boolean {
  if (!cell.definition.hooks.has("onDelete")) return false;
  try {
    return cell.activation !== undefined || parseState(cell) !== undefined;
  } catch {
    return false;
  }
}

/** The turn's state as text. @throws EdgeverseError `STATE_INVALID`, `STATE_TOO_LARGE` */
function stateText(turn: Turn, limit: number): string {
  let text: string;
  try {
    text = jsonText(turn.working);
  } catch (error) {
    if (!(error instanceof NotJsonError)) throw error;
    throw new EdgeverseError("STATE_INVALID", `Cannot store the state of ${turn.cell.key}: ${error.message}`);
  }
  if (text === turn.cell.text) return text;
  if (exceedsBytes(text, limit)) {
    throw new EdgeverseError(
      "STATE_TOO_LARGE",
      `Cannot store the state of ${turn.cell.key}: it is over ${limit} bytes of JSON`,
    );
  }
  // What is written must be readable: a state the schema refuses would lock the object up at its next activation.
  checkState(turn.cell, turn.working);
  return text;
}

function late(turn: Turn, when: string): EdgeverseError {
  return new EdgeverseError(
    "DEADLINE_EXCEEDED",
    `The call of ${turn.cell.key} passed its deadline ${when}; it changed nothing`,
  );
}
