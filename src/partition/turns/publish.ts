import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { exceedsBytes, jsonText, NotJsonError } from "../../object/json.ts";
import { checkState } from "./activate.ts";
import type { Turn } from "./turn.ts";

/**
 * Makes what an exclusive turn did the object's present. Checks everything first, so it publishes all or throws.
 *
 * @param maxState bytes of JSON the state may have
 * @returns whether there is something to commit
 * @throws EdgeverseError `STATE_INVALID`, `STATE_TOO_LARGE`
 */
export function publish(turn: Turn, maxState: number): boolean {
  const { cell, activation } = turn;
  if (turn.deleted) {
    cell.exists = false;
    cell.text = "";
    cell.wiped = true;
    cell.rows = undefined;
    cell.activation = undefined;
    return true;
  }
  if (activation === undefined) return false;
  const text = stateText(turn, maxState);
  const writes = turn.openedStore?.writes;
  activation.text = text;
  if (cell.exists && (text === cell.text || !turn.touched) && (writes === undefined || writes.size === 0)) return false;
  if (writes !== undefined && writes.size > 0) {
    cell.rows ??= new Map();
    for (const [key, row] of writes) cell.rows.set(key, row);
  }
  cell.text = text;
  cell.version = cell.definition.objectClass.version;
  cell.exists = true;
  return true;
}

/** The turn's state as text, fit to be stored. */
export function stateText(turn: Turn, limit: number): string {
  if (!turn.touched) return turn.text;
  let text: string;
  try {
    text = jsonText(turn.working);
  } catch (error) {
    if (!(error instanceof NotJsonError)) throw error;
    throw new EdgeverseError("STATE_INVALID", `Cannot store the state of ${turn.cell.key}: ${error.message}`);
  }
  if (text === turn.text) return text;
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
