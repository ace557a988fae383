import { freezeJson } from "../../object/json.ts";
import type { AsyncScope, SqlStorage } from "../../platform/ports.ts";
import { activate, deletable, hooksOf, load } from "./activate.ts";
import type { Activation } from "./activation.ts";
import type { Cells } from "./activations.ts";
import { andThen, type MaybePromise } from "./maybe-promise.ts";
import type { Turn } from "./turn.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly scope: AsyncScope<Turn>;
  readonly cells: Cells;
}

/**
 * What a turn does once it is let in: brings its object into memory if need be, runs the hooks that are due and the method.
 * Goes on without a promise as long as nothing waits. An abandoned turn stops at the next of these steps.
 */
export function performTurn(turn: Turn, { storage, scope, cells }: Parts): MaybePromise<unknown> {
  const { cell, plan } = turn;
  if (load(cell, storage)) cells.account(cell);
  if (plan.kind === "deactivate" && cell.activation === undefined) return undefined;
  if (plan.kind === "delete") {
    if (!cell.exists) return undefined;
    turn.deleted = true;
    if (!deletable(cell)) return undefined;
  }
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

/** What an abandoned turn was about to do must not happen, least of all in the next one. */
function alive<T>(turn: Turn, next: (value: T) => MaybePromise<unknown>): (value: T) => MaybePromise<unknown> {
  return (value) => {
    if (turn.status !== "running") throw turn.services.over(turn);
    return next(value);
  };
}

/** Gives the turn its instance and state; makes them, and runs their hooks, when the object is not in memory. */
function adopt(turn: Turn, scope: AsyncScope<Turn>): MaybePromise<unknown> {
  const { activation } = turn.cell;
  if (activation === undefined) return activate(turn, scope);
  turn.activation = activation;
  turn.text = activation.text;
  return undefined;
}

function invoke(turn: Turn): MaybePromise<unknown> {
  const activation = turn.activation as Activation<Turn>;
  if (turn.plan.readonly) {
    // Hooks that came before may have changed the state; they are part of this turn.
    turn.restrict(turn.touched ? freezeJson(JSON.parse(turn.currentText())) : activation.frozen());
  }
  if (turn.exclusive && !turn.plan.async) activation.current = turn;
  return turn.plan.run(activation.instance) as MaybePromise<unknown>;
}

function beforeDelete(turn: Turn): MaybePromise<unknown> {
  if (!turn.deleted || !turn.cell.definition.hooks.has("onDelete")) return undefined;
  return hooksOf((turn.activation as Activation<Turn>).instance).onDelete() as MaybePromise<unknown>;
}
