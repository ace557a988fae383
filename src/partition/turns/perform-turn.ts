import { freezeJson } from "../../object/json.ts";
import type { AsyncScope, SqlStorage } from "../../platform/ports.ts";
import { activate, deletable, hooksOf, load } from "./activate.ts";
import type { Instance } from "./activation.ts";
import type { Activations } from "./activations.ts";
import { andThen, type MaybePromise } from "./maybe-promise.ts";
import type { Turn } from "./turn.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly scope: AsyncScope<Turn>;
  readonly activations: Activations;
}

/**
 * What a turn does once it is let in: brings its object into memory if need be, runs the hooks that are due and the method.
 * Goes on without a promise as long as nothing waits. An abandoned turn stops at the next of these steps.
 */
export function performTurn(turn: Turn, parts: Parts): MaybePromise<unknown> {
  const { definition } = turn.activation;
  // Code finds its turn through the scope where it may run among others' code, by a pointer where it runs alone.
  const scoped = turn.plan.async || !turn.exclusive || definition.hooks.size > 0 || definition.objectClass.reentrant;
  return scoped ? parts.scope.run(turn, () => perform(turn, parts)) : perform(turn, parts);
}

function perform(turn: Turn, { storage, scope, activations }: Parts): MaybePromise<unknown> {
  const { activation, plan } = turn;
  if (load(activation, storage)) activations.account(activation);
  if (plan.kind === "deactivate" && activation.instance === undefined) return undefined;
  if (plan.kind === "delete") {
    if (!activation.exists) return undefined;
    turn.deleted = true;
    if (!deletable(activation)) return undefined;
  }
  if (activation.absent && plan.kind === "call" && plan.readonly) detach(turn);
  return andThen(
    adopt(turn, scope),
    alive(turn, () =>
      andThen(
        invoke(turn),
        alive(turn, (value) => andThen(beforeDelete(turn), () => value)),
      ),
    ),
  );
}

/** [LIFE1] It reads what is not there, so nobody need wait for it, save a turn that would create the object. */
function detach(turn: Turn): void {
  turn.detached = true;
  turn.exclusive = false;
  turn.activation.mailbox.share();
}

/** Stops an abandoned turn: its next step must not run, least of all inside the next turn. */
function alive<T>(turn: Turn, next: (value: T) => MaybePromise<unknown>): (value: T) => MaybePromise<unknown> {
  return (value) => {
    if (turn.status !== "running") throw turn.services.over(turn);
    return next(value);
  };
}

/** Gives the turn its instance and state; makes them, and runs their hooks, when the object is not in memory. */
function adopt(turn: Turn, scope: AsyncScope<Turn>): MaybePromise<unknown> {
  const { instance } = turn.activation;
  if (instance === undefined) return activate(turn, scope);
  turn.instance = instance;
  turn.text = instance.text;
  return undefined;
}

function invoke(turn: Turn): MaybePromise<unknown> {
  const instance = turn.instance as Instance<Turn>;
  if (turn.plan.readonly) {
    // Hooks that came before may have changed the state; they are part of this turn.
    turn.restrict(turn.touched ? freezeJson(JSON.parse(turn.currentText())) : instance.frozen());
  }
  if (turn.exclusive && !turn.plan.async) instance.current = turn;
  turn.fresh = true;
  const result = instance.run(turn, turn.plan.run) as MaybePromise<unknown>;
  turn.fresh = false;
  return result;
}

function beforeDelete(turn: Turn): MaybePromise<unknown> {
  if (!turn.deleted || turn.detached || !turn.activation.definition.hooks.has("onDelete")) return undefined;
  return hooksOf((turn.instance as Instance<Turn>).object).onDelete() as MaybePromise<unknown>;
}

/** Drops the instance of a turn that failed: the method's code may still hold it, and its private fields are not fit. */
export function drop({ activation, exclusive, instance, outer }: Turn): void {
  if (exclusive && activation.instance === instance) activation.dropInstance();
  if (outer !== undefined) outer.spoiled = true;
}
