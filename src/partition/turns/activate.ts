import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { parseJson } from "../../object/json.ts";
import { construct, type DeactivationReason, type VirtualObject } from "../../object/virtual-object.ts";
import type { AsyncScope, SqlStorage } from "../../platform/ports.ts";
import { Activation } from "./activation.ts";
import { andThen, type MaybePromise } from "./maybe-promise.ts";
import type { Turn, TurnCell } from "./turn.ts";

/** The hooks as the engine calls them; they are protected for everybody else. */
export interface Hooks {
  onCreate(): unknown;
  onActivate(): unknown;
  onDeactivate(reason: DeactivationReason): unknown;
  onDelete(): unknown;
}

export function hooksOf(instance: VirtualObject<unknown>): Hooks {
  return instance as unknown as Hooks;
}

/** Reads the object's row into its cell, once; says whether it did. */
export function load(cell: TurnCell, storage: SqlStorage): boolean {
  if (cell.loaded) return false;
  const rows = storage.query<{ state: string; version: number }>(
    "SELECT state, version FROM objects WHERE ring = ? AND type = ? AND id = ?",
    ...[cell.ring, cell.definition.type, cell.id],
  );
  cell.loaded = true;
  const row = rows[0];
  if (row === undefined) return true;
  cell.exists = true;
  cell.text = row.state;
  cell.version = row.version;
  return true;
}

/**
 * The state a cell's text holds, by today's schema: upgraded, parsed, defaults filled in ([OBJ4]).
 * @throws EdgeverseError `STATE_INVALID`; the row is left as it is
 */
export function parseState(cell: TurnCell): unknown {
  const { objectClass } = cell.definition;
  let value: unknown;
  try {
    value = cell.exists ? parseJson(cell.text) : {};
    if (cell.exists && cell.version < objectClass.version) value = objectClass.upgrade(value, cell.version);
  } catch (cause) {
    throw invalid(cell, "its row can't be read or upgraded", undefined, cause);
  }
  if (cell.exists && cell.version > objectClass.version) {
    throw invalid(cell, `version ${cell.version} of the code wrote it, this is version ${objectClass.version}`);
  }
  return checkState(cell, value);
}

/** The state as the schema parses it. @throws EdgeverseError `STATE_INVALID` */
export function checkState(cell: TurnCell, value: unknown): unknown {
  const parsed = cell.definition.objectClass.state.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 10).map(({ path, message }) => ({ path, message }));
  throw invalid(cell, "it does not fit the type's schema", { issues });
}

function invalid(cell: TurnCell, why: string, details?: unknown, cause?: unknown): EdgeverseError {
  return new EdgeverseError("STATE_INVALID", `Cannot use the state of ${cell.key}: ${why}`, { details, cause });
}

/**
 * Makes an instance for `turn`, which is alone on its object, and runs the hooks that come first. A new object is created
 * by this: it exists if the turn succeeds.
 *
 * @throws EdgeverseError `OBJECT_NOT_FOUND`, `STATE_INVALID`
 */
export function activate(turn: Turn, scope: AsyncScope<Turn>): MaybePromise<unknown> {
  const { cell, plan } = turn;
  const { definition } = cell;
  turn.created = !cell.exists;
  if (turn.created && plan.kind === "call" && !definition.objectClass.autoCreate) {
    throw new EdgeverseError(
      "OBJECT_NOT_FOUND",
      `${cell.key} does not exist, and calls do not create a ${definition.type}`,
    );
  }
  const activation = new Activation<Turn>(JSON.stringify(parseState(cell)));
  turn.activation = activation;
  turn.text = activation.text;
  activation.current = turn;
  activation.instance = construct(definition.objectClass, {
    id: cell.id,
    turn() {
      const scoped = scope.get();
      if (scoped?.cell === cell && scoped.status === "running") return scoped;
      if (activation.current !== undefined) return activation.current;
      if (scoped?.cell === cell) return scoped;
      throw new Error(`No turn is running on ${cell.key}: state, store and calls belong to a turn`);
    },
  });
  activation.current = undefined;
  cell.activation = activation;
  const hooks = hooksOf(activation.instance);
  const created = turn.created && definition.hooks.has("onCreate") ? hooks.onCreate() : undefined;
  return andThen(created, () => {
    if (turn.status !== "running") throw turn.services.over(turn);
    return definition.hooks.has("onActivate") ? hooks.onActivate() : undefined;
  });
}

/** Whether `onDelete` is there and can run: an object whose row can't be read is deleted without it. */
export function deletable(cell: TurnCell): boolean {
  if (!cell.definition.hooks.has("onDelete")) return false;
  try {
    return cell.activation !== undefined || parseState(cell) !== undefined;
  } catch {
    return false;
  }
}
