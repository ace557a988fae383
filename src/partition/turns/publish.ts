import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { copyJson, exceedsBytes, NotJsonError } from "../../object/json.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import { checkState, readBack } from "./activate.ts";
import type { Activations } from "./activations.ts";
import type { Turn } from "./turn.ts";

/**
 * Makes sure that what an exclusive turn did can be published. From here on nothing can fail.
 *
 * @param maxState bytes of JSON the state may have
 * @throws EdgeverseError `STATE_INVALID`, `STATE_TOO_LARGE`, and what its other effects refuse
 */
export function prepare(turn: Turn, maxState: number): void {
  turn.effects?.check();
  if (!turn.deleted && turn.instance !== undefined) turn.left = leftBy(turn, maxState);
}

interface Parts {
  readonly activations: Activations;
  readonly commit: GroupCommit;
}

/**
 * Publishes a prepared turn, and with it those of its transaction: all in one event, so that nobody sees a part, and as one
 * unit of the next commit.
 */
export function publishAll(turn: Turn, { activations, commit }: Parts): void {
  if (publish(turn)) {
    activations.account(turn.activation);
    commit.changed(turn.activation);
  }
  turn.effects?.publish();
  if (turn.deleted) turn.services.clearReminders(turn);
  for (const held of turn.transaction?.held ?? []) {
    commit.link(turn.activation, held.activation);
    if (held.status === "running") publishAll(held, { activations, commit });
  }
}

/** Makes what the turn did the object's newest state; says whether there is something to commit. */
function publish(turn: Turn): boolean {
  const { activation, instance, left } = turn;
  if (turn.deleted) {
    activation.exists = false;
    activation.text = "";
    activation.entries = undefined;
    activation.wiped = true;
    activation.rows = undefined;
    activation.instance = undefined;
    return true;
  }
  if (instance === undefined || left === undefined) return false;
  const writes = turn.openedStore?.writes;
  instance.text = left.text;
  // Its private fields may hold what a call that ran inside the turn left, and was rolled back.
  if (turn.spoiled) activation.instance = undefined;
  if (!isChanged(turn, left.text)) return false;
  if (writes !== undefined && writes.size > 0) {
    activation.rows ??= new Map();
    for (const [key, row] of writes) activation.rows.set(key, row);
  }
  activation.text = left.text;
  activation.entries = left.entries;
  activation.version = activation.definition.objectClass.version;
  activation.exists = true;
  return true;
}

/** Whether the turn leaves something to store. */
function isChanged({ activation, touched, openedStore }: Turn, text: string): boolean {
  const hasRows = openedStore !== undefined && openedStore.writes.size > 0;
  return !activation.exists || (touched && text !== activation.text) || hasRows;
}

function leftBy(turn: Turn, maxState: number): Turn["left"] {
  const text = stateText(turn, maxState);
  const { activation } = turn;
  const { indexes } = activation.definition;
  if (indexes === undefined || !isChanged(turn, text)) return { text, entries: undefined };
  return { text, entries: indexes.entries(activation.key, readBack(activation, text)) };
}

/** The turn's state as text, fit to be stored. */
export function stateText(turn: Turn, limit: number): string {
  if (!turn.touched) return turn.text;
  let state: unknown;
  try {
    state = copyJson(turn.working);
  } catch (error) {
    if (!(error instanceof NotJsonError)) throw error;
    throw new EdgeverseError("STATE_INVALID", `Cannot store the state of ${turn.activation.key}: ${error.message}`);
  }
  const text = JSON.stringify(state);
  if (text === turn.text) return text;
  if (exceedsBytes(text, limit)) {
    throw new EdgeverseError(
      "STATE_TOO_LARGE",
      `Cannot store the state of ${turn.activation.key}: it is over ${limit} bytes of JSON`,
    );
  }
  // A state that the schema refuses could not be read again: every later call would fail.
  // It is checked as it will be read: like JSON, the copy has no members that are undefined.
  checkState(turn.activation, state);
  return text;
}
