import type { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { Instance } from "./activation.ts";
import { deadlock, ownAncestor } from "./deadlock.ts";
import { isExclusive } from "./exclusive.ts";
import { startInner, succeedInner } from "./inner-turn.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import { learnFrom } from "./method-plan.ts";
import { type Outcome, RELEASED } from "./outcome.ts";
import { late, outgoingError } from "./outgoing-error.ts";
import { drop, performTurn } from "./perform-turn.ts";
import { prepare, publishAll } from "./publish.ts";
import { Turn, type TurnActivation, type TurnPlan } from "./turn.ts";
import type { TurnEngineParts } from "./turn-engine-parts.ts";
import { WaitingTurns } from "./waiting-turns.ts";
import { Waits } from "./waits.ts";
import { YIELD } from "./yielding.ts";

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
 * | waiting | deadline, reset, caller gone   | ended   | none                                           |
 * | running | method returned, result is fit | ended   | published: in the next group commit            |
 * | running | method threw, result unfit     | ended   | none: instance dropped                         |
 * | running | deadline, reset                | ended   | none: instance dropped; the method's code may go on, without effect |
 * A turn whose method never waits starts and ends within `submit`, without a promise or a timer.
 */
export class TurnEngine {
  readonly waits: Waits;
  readonly #parts: TurnEngineParts;
  /** Running turns that did not end in the event that started them. */
  readonly #running = new Set<Turn>();
  readonly #waiting: WaitingTurns;
  /** Objects whose waiting turns start a little later; undefined when they may at once. */
  #held: Set<TurnActivation> | undefined;
  /** Why nothing more has an effect; undefined while the engine runs. */
  #stopped: EdgeverseError | undefined;

  constructor(parts: TurnEngineParts) {
    this.#parts = parts;
    this.waits = new Waits(parts.activations.map);
    this.#waiting = new WaitingTurns(parts);
  }

  /** Turns that wait in the whole partition. */
  get waiting(): number {
    return this.#waiting.count;
  }

  /** Starts a turn or lets it wait. Its end, also a refusal, is told to `plan.finish`. */
  submit(activation: TurnActivation, plan: TurnPlan): Turn {
    const turn = new Turn(activation, plan, this.#parts.services);
    activation.referenced = true;
    try {
      if (this.#stopped !== undefined) throw this.#stopped;
      const own = plan.inside ?? ownAncestor(turn);
      if (own !== undefined) this.#enterAgain(turn, own);
      else if (activation.mailbox.admits(isExclusive(turn))) this.#start(turn);
      else this.#wait(turn);
    } catch (error) {
      this.#refuse(turn, error);
    }
    return turn;
  }

  /** Rolls a running turn back, and lets it begin again behind those that wait for what it has taken. */
  restart(turn: Turn): void {
    drop(turn);
    // What it has taken ends before it is back in line. If that is its own object too, nobody may let go of it meanwhile.
    const { activation } = turn;
    const { pinned } = activation;
    activation.pinned = true;
    this.#end(turn, undefined);
    activation.pinned = pinned;
  }

  /** @throws EdgeverseError `OVERLOADED` when one more turn may not wait for `activation` */
  checkRoom(activation: TurnActivation): void {
    this.#waiting.checkRoom(activation);
  }

  /** Turns that did not end in the event that began them; objects without one have none waiting either. */
  get running(): Iterable<Turn> {
    return this.#running;
  }

  /** Ends the waiting turns that there is a reason for. */
  takeOut(activation: TurnActivation, reason: (turn: Turn) => EdgeverseError | undefined): void {
    this.#waiting.takeOut(activation, reason);
    this.#pump(activation);
  }

  /** Ends every turn without effects, for good. */
  stop(error: EdgeverseError): void {
    this.#stopped = error;
    for (const activation of this.#parts.activations.all()) {
      for (const turn of this.#waiting.drain(activation)) this.#refuse(turn, error);
    }
    for (const turn of [...this.#running]) this.fail(turn, error);
  }

  /** The database has refused what was published of these objects: whatever began from it ends. Then `tell` tells the rest. */
  refuse(refused: ReadonlyMap<TurnActivation, EdgeverseError>, tell: () => void): void {
    // No turn starts before all is taken back, and everyone told.
    const held = new Set<TurnActivation>(refused.keys());
    this.#held = held;
    for (const [activation, error] of refused) {
      activation.refuse(error);
      this.#parts.activations.account(activation);
    }
    for (const turn of [...this.#running]) {
      const error = refused.get(turn.activation);
      if (error !== undefined) this.fail(turn, error);
    }
    // Turns that a refused state has called for end too. Reliable calls line up again, behind those that are told now.
    const reason = ({ plan }: Turn) => (plan.admitted === true ? RELEASED : plan.parent?.base.refusal);
    for (const activation of refused.keys()) this.#waiting.takeOut(activation, reason);
    tell();
    this.#held = undefined;
    for (const activation of held) this.#pump(activation);
  }

  /** A call that came back to its own object ([TURN7]), or that belongs inside a turn there. */
  #enterAgain(turn: Turn, own: Turn): void {
    const { mailbox, definition } = turn.activation;
    if (turn.plan.inside !== undefined) this.#startInner(turn, own);
    // What is to be taken must be free: it can't join a turn that waits for it.
    else if (turn.plan.transaction !== undefined) throw deadlock(turn);
    // What the hooks of a detached turn call must see its own instance.
    else if (turn.plan.readonly && mailbox.shared && !(own.detached && own.mutable)) this.#start(turn);
    else if (definition.objectClass.reentrant && own.status === "running") this.#startInner(turn, own);
    else throw deadlock(turn);
  }

  #wait(turn: Turn): void {
    let yielding: Turn | undefined;
    // Whoever waits for a reliable call was checked as it came.
    if (turn.plan.admitted !== true) {
      yielding = this.waits.check(turn, (other) => this.#running.has(other));
      this.checkRoom(turn.activation);
    }
    // The turn that would yield may still be on the stack, in its first event: it does so itself.
    if (yielding !== undefined && yielding === turn.plan.transaction?.turn) {
      turn.dismiss(YIELD);
      return;
    }
    this.#waiting.add(turn, () => {
      this.#refuse(turn, late(turn, "while it waited for its turn"));
      this.#pump(turn.activation);
    });
    if (yielding !== undefined) this.restart(yielding);
  }

  #start(turn: Turn): void {
    const { activation, plan } = turn;
    turn.cancelDeadline?.();
    turn.cancelDeadline = undefined;
    turn.exclusive = isExclusive(turn);
    activation.mailbox.enter(turn, turn.exclusive);
    this.#begin(turn, () => {
      if (turn.startedAt >= plan.info.deadline) throw late(turn, "before it started");
      return performTurn(turn, this.#parts);
    });
  }

  #startInner(turn: Turn, own: Turn): void {
    startInner(turn, own);
    this.#begin(turn, () =>
      this.#parts.scope.run(turn, () => (turn.instance as Instance<Turn>).run(turn, turn.plan.run)),
    );
  }

  /** Runs `work` and settles the turn with what comes of it; arms the deadline only if that takes more than this event. */
  #begin(turn: Turn, work: () => MaybePromise<unknown>): void {
    turn.status = "running";
    turn.base = turn.activation.base;
    turn.startedAt = this.#parts.clock.now();
    const { timeout, info } = turn.plan;
    if (timeout !== undefined) turn.deadline = Math.min(info.deadline, turn.startedAt + timeout);
    let result: MaybePromise<unknown>;
    try {
      result = work();
    } catch (error) {
      this.fail(turn, this.#stopped ?? turn.base.refusal ?? error);
      return;
    }
    if (turn.plan.method !== undefined) learnFrom(turn.plan.method, result);
    // A commit that the method's own code asked for may have failed.
    const lost = this.#stopped ?? turn.base.refusal;
    if (lost !== undefined) {
      if (result instanceof Promise) result.catch(() => undefined);
      this.fail(turn, lost);
      return;
    }
    if (!(result instanceof Promise)) {
      this.#succeed(turn, result);
      return;
    }
    this.#running.add(turn);
    turn.beginWait();
    if (!turn.plan.async) this.#provedAsync(turn);
    turn.cancelDeadline = this.#parts.deadlines.add(turn.deadline, () => this.fail(turn, late(turn, "while it ran")));
    result.then(
      (value) => this.#succeed(turn, value),
      (error: unknown) => this.fail(turn, error),
    );
  }

  /** A plain method returned a promise: this turn and all later ones of it are treated as async. */
  #provedAsync(turn: Turn): void {
    if (!turn.plan.readonly || turn.mutable || !turn.exclusive) return;
    turn.activation.mailbox.share();
    this.#pump(turn.activation);
  }

  #succeed(turn: Turn, value: unknown): void {
    if (turn.status !== "running") return;
    let encoded: unknown;
    try {
      if (this.#parts.clock.now() >= turn.deadline) throw late(turn, "as it ended");
      encoded = turn.plan.encode(value, turn);
      if (turn.outer !== undefined) succeedInner(turn, turn.outer);
      else if (turn.exclusive) {
        prepare(turn, this.#parts.limits.maxState);
        if (turn.plan.transaction !== undefined) {
          turn.plan.transaction.prepared();
          return;
        }
        turn.transaction?.check();
        publishAll(turn, this.#parts);
      }
    } catch (error) {
      this.fail(turn, error);
      return;
    }
    this.#end(turn, { ok: true, value: encoded });
  }

  /** Ends a running turn without effects. */
  fail(turn: Turn, thrown: unknown): void {
    if (turn.status !== "running") return;
    drop(turn);
    this.#end(turn, { ok: false, error: outgoingError(turn, thrown, this.#parts.observer) });
  }

  /** @param outcome undefined when it is to begin again */
  #end(turn: Turn, outcome: Outcome | undefined): void {
    const { activation } = turn;
    turn.status = "ended";
    turn.close();
    if (turn.cancelDeadline !== undefined) {
      turn.cancelDeadline();
      this.#running.delete(turn);
    }
    turn.endWait();
    activation.mailbox.leave(turn);
    const now = this.#parts.clock.now();
    activation.lastUsed = now;
    if (turn.outer === undefined)
      this.#parts.meter.turn(activation.position, activation.definition.type, now - turn.startedAt, now);
    if (turn.instance?.current === turn) turn.instance.current = undefined;
    if (outcome !== undefined) turn.plan.finish(outcome);
    // After the turn's own end is part of the next commit: what waits for these objects may start now, and flush it.
    for (const held of turn.transaction?.end() ?? []) {
      if (outcome?.ok === true) this.#end(held, outcome);
      else this.fail(held, turn.services.over(turn));
    }
    if (outcome === undefined) this.submit(activation, turn.plan);
    else turn.release();
    this.#pump(activation);
    this.#letGo(activation);
    if (activation.onIdle !== undefined && activation.mailbox.idle) activation.onIdle();
  }

  #refuse(turn: Turn, thrown: unknown): void {
    turn.dismiss(outgoingError(turn, thrown, this.#parts.observer));
    this.#letGo(turn.activation);
  }

  /** An object that does not exist needs no memory. */
  #letGo(activation: TurnActivation): void {
    if (activation.absent && activation.evictable) this.#parts.activations.forget(activation);
  }

  /** Starts what may start now. Turns that end at once come back here; the flag turns that recursion into this loop. */
  #pump(activation: TurnActivation): void {
    this.#held?.add(activation);
    if (activation.pumping || this.#held !== undefined) return;
    activation.pumping = true;
    const next = () => this.#waiting.next(activation);
    for (let turn = next(); turn !== undefined; turn = next()) this.#start(turn);
    activation.pumping = false;
  }
}
