import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { freezeJson, jsonText } from "../../object/json.ts";
import type { Turn } from "./turn.ts";
import { TurnEffects } from "./turn-effect.ts";

/**
 * Prepares a turn of a reentrant type that came back to its object from the object's own turn ([TURN7]). The inner turn
 * works on a copy of the outer turn's state. When it succeeds, its effects join the outer turn and commit with it.
 */
export function startInner(turn: Turn, outer: Turn): void {
  if (outer.status !== "running") throw turn.services.over(outer);
  turn.outer = outer;
  turn.exclusive = false;
  turn.instance = outer.instance;
  turn.text = outer.currentText();
  if (turn.plan.readonly || !outer.mutable) turn.restrict(freezeJson(JSON.parse(turn.text)));
}

/**
 * Joins a successful inner turn to its outer one.
 * @throws EdgeverseError `CONFLICT` when the outer turn's state changed meanwhile: neither change may be lost;
 *   `PAYLOAD_TOO_LARGE` when the rows of both, or what both send, are too many for one turn
 */
export function succeedInner(turn: Turn, outer: Turn): void {
  if (outer.status !== "running") throw turn.services.over(outer);
  const text = turn.touched ? jsonText(turn.working) : turn.text;
  if (text !== turn.text) {
    if (outer.currentText() !== turn.text) {
      throw new EdgeverseError(
        "CONFLICT",
        `The state of ${turn.activation.key} changed while a call from its own turn ran`,
      );
    }
  }
  // Steps that can fail come before steps that can't.
  if (turn.effects !== undefined) outer.effects?.checkAbsorb(turn.effects);
  const writes = turn.openedStore?.writes;
  if (writes !== undefined && writes.size > 0) outer.openStore().absorb(writes);
  if (turn.effects !== undefined) TurnEffects.of(outer).absorb(turn.effects);
  if (text !== turn.text) {
    outer.working = replaceContent(outer.touched ? outer.working : undefined, JSON.parse(text));
    outer.touched = true;
  }
  if (turn.deleted) outer.deleted = true;
  if (turn.spoiled) outer.spoiled = true;
}

/** Puts `content` into the object the outer turn's code may hold already. */
function replaceContent(target: unknown, content: unknown): unknown {
  const objects = [target, content].every(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  );
  if (!objects) return content;
  for (const key of Object.keys(target as object)) delete (target as Record<string, unknown>)[key];
  return Object.assign(target as object, content);
}
