import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { exceedsBytes, jsonText, NotJsonError } from "../../object/json.ts";
import { checkState } from "./activate.ts";
import type { Turn } from "./turn.ts";

/**
 * Publishes what an exclusive turn did as the object's newest state. Checks everything first: it publishes all, or throws.
 *
 * @param maxState bytes of JSON the state may have
 * @returns whether there is something to commit
 * @throws EdgeverseError `STATE_INVALID`, `STATE_TOO_LARGE`
 */
export function publish(turn: Turn, maxState: number): boolean {
  const { activation, instance } = turn;
  if (turn.deleted) {
    activation.exists = false;
    activation.text = "";
    activation.wiped = true;
    activation.rows = undefined;
    activation.instance = undefined;
    return true;
  }
  if (instance === undefined) return false;
  const text = stateText(turn, maxState);
  const writes = turn.openedStore?.writes;
  instance.text = text;
  if (activation.exists && (text === activation.text || !turn.touched) && (writes === undefined || writes.size === 0))
    return false;
  if (writes !== undefined && writes.size > 0) {
    activation.rows ??= new Map();
    for (const [key, row] of writes) activation.rows.set(key, row);
  }
  activation.text = text;
  activation.version = activation.definition.objectClass.version;
  activation.exists = true;
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
    throw new EdgeverseError("STATE_INVALID", `Cannot store the state of ${turn.activation.key}: ${error.message}`);
  }
  if (text === turn.text) return text;
  if (exceedsBytes(text, limit)) {
    throw new EdgeverseError(
      "STATE_TOO_LARGE",
      `Cannot store the state of ${turn.activation.key}: it is over ${limit} bytes of JSON`,
    );
  }
  // A state that the schema refuses could not be read again: every later call would fail.
  // It is checked as it will be read: JSON leaves out members that are undefined.
  checkState(turn.activation, JSON.parse(text));
  return text;
}
