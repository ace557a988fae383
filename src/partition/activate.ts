import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { parseJson } from "../object/json.ts";
import { construct, type DeactivationReason, type VirtualObject } from "../object/virtual-object.ts";
import type { AsyncScope, SqlStorage } from "../platform/ports.ts";
import { Activation, type Cell } from "./cell.ts";
import type { Turn } from "./turn.ts";

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

/** Reads the object's row into its cell, once. */
export function load(cell: Cell, storage: SqlStorage): void {
  if (cell.loaded) return;
  const rows = storage.query<{ state: string; version: number }>(
    "SELECT state, version FROM objects WHERE ring = ? AND type = ? AND id = ?",
    ...[cell.ring, cell.definition.type, cell.id],
  );
  cell.loaded = true;
  const row = rows[0];
  if (row === undefined) return;
  cell.exists = true;
  cell.text = row.state;
  cell.version = row.version;
}

/**
 * The state a cell's text holds, by today's schema: upgraded, parsed, defaults filled in ([OBJ4]).
 * @throws EdgeverseError `STATE_INVALID`; the row is left as it is
 */
export function parseState(cell: Cell): unknown {
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
export function checkState(cell: Cell, value: unknown): unknown {
  const parsed = cell.definition.objectClass.state.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 10).map(({ path, message }) => ({ path, message }));
  throw invalid(cell, "it does not fit the type's schema", { issues });
}

function invalid(cell: Cell, why: string, details?: unknown, cause?: unknown): EdgeverseError {
  return new EdgeverseError("STATE_INVALID", `Cannot use the state of ${cell.key}: ${why}`, { details, cause });
}

/** Makes an instance for `turn`; whatever touches it outside a turn is refused. */
export function makeActivation(cell: Cell, value: unknown, scope: AsyncScope<Turn>, turn: Turn): Activation {
  const activation = new Activation();
  activation.exclusive = turn;
  turn.working = value;
  activation.value = value;
  activation.instance = construct(cell.definition.objectClass, {
    id: cell.id,
    turn() {
      const running = activation.exclusive ?? scope.get();
      if (running !== undefined && running.cell === cell) return running;
      throw new Error(`No turn is running on ${cell.key}: state, store and calls belong to a turn`);
    },
  });
  return activation;
}
