import { checkCreation } from "../../access/decide.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { DeactivationReason } from "../../object/deactivation-reason.ts";
import { droppedKeys } from "../../object/dropped-keys.ts";
import { freezeJson, parseJson } from "../../object/json.ts";
import { parseRequest } from "../../object/request.ts";
import { construct, type VirtualObject } from "../../object/virtual-object.ts";
import type { AsyncScope, SqlStorage } from "../../platform/ports.ts";
import { readable } from "../storage/refusal.ts";
import { Instance } from "./activation.ts";
import { andThen, type MaybePromise } from "./maybe-promise.ts";
import type { Turn, TurnActivation } from "./turn.ts";

/** The hooks as the engine calls them; they are protected for everybody else. */
export interface Hooks {
  onCreate(request: unknown): unknown;
  onActivate(): unknown;
  onDeactivate(reason: DeactivationReason): unknown;
  onDelete(): unknown;
}

export function hooksOf(instance: VirtualObject<unknown>): Hooks {
  return instance as unknown as Hooks;
}

/** An object as far as its row goes. */
export type StoredObject = Pick<TurnActivation, "key" | "definition" | "exists" | "text" | "version">;

/** Reads the object's row into its activation, once; says whether it did. */
export function load(activation: TurnActivation, storage: SqlStorage): boolean {
  if (activation.loaded) return false;
  const row = rowOf(activation, storage);
  activation.loaded = true;
  if (row === undefined) return true;
  activation.exists = true;
  activation.text = row.state;
  activation.version = row.version;
  return true;
}

function rowOf({ key, position, definition, id }: TurnActivation, storage: SqlStorage) {
  const sql = "SELECT state, version FROM objects WHERE position = ? AND type = ? AND id = ?";
  const read = () => storage.query<{ state: string; version: number }>(sql, position, definition.type, id)[0];
  return readable(read, `Cannot read the row of ${key}; nothing was changed`);
}

/**
 * The state an activation's text holds, by today's schema: upgraded, parsed, defaults filled in, nothing lost ([OBJ4]).
 * @throws EdgeverseError `STATE_INVALID`; the row is left as it is
 */
export function parseState(activation: StoredObject): unknown {
  const { objectClass } = activation.definition;
  let value: unknown;
  try {
    value = activation.exists ? parseJson(activation.text) : {};
    if (activation.exists && activation.version < objectClass.version)
      value = objectClass.upgrade(value, activation.version);
  } catch (cause) {
    throw invalid(activation, "its row can't be read or upgraded", undefined, cause);
  }
  if (activation.exists && activation.version > objectClass.version) {
    throw invalid(
      activation,
      `version ${activation.version} of the code wrote it, this is version ${objectClass.version}`,
    );
  }
  const parsed = parse(activation, value);
  // What `upgrade` leaves out has been decided on; what a changed schema leaves out has not.
  const dropped = activation.exists && activation.version === objectClass.version ? droppedKeys(value, parsed) : [];
  if (dropped.length === 0) return parsed;
  const why = `its schema would drop ${dropped.join(", ")}. Raise "version" and write "upgrade", or keep it in the schema`;
  throw invalid(activation, why, { dropped });
}

/**
 * Checks that a state a turn leaves is one the schema takes whole: what is written must be readable as it is.
 * @throws EdgeverseError `STATE_INVALID`
 */
export function checkState(activation: TurnActivation, value: unknown): void {
  const dropped = droppedKeys(value, parse(activation, value));
  if (dropped.length === 0) return;
  throw invalid(activation, `its schema would drop ${dropped.join(", ")}, which the method put there`, { dropped });
}

/** A state that was found fit as turns would read it: what indexes look at ([IDX1]). */
export function readBack(activation: TurnActivation, text: string): unknown {
  return freezeJson(parse(activation, JSON.parse(text)));
}

/** The state as the schema parses it. @throws EdgeverseError `STATE_INVALID` */
function parse(activation: StoredObject, value: unknown): unknown {
  const parsed = activation.definition.objectClass.state.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 10).map(({ path, message }) => ({ path, message }));
  throw invalid(activation, "it does not fit the type's schema", { issues });
}

function invalid(activation: StoredObject, why: string, details?: unknown, cause?: unknown): EdgeverseError {
  return new EdgeverseError("STATE_INVALID", `Cannot use the state of ${activation.key}: ${why}`, { details, cause });
}

/**
 * Makes an instance for `turn`, which is alone on its object, and runs the hooks that come first. A new object is created
 * by this: it exists if the turn succeeds. A detached turn creates none, and its instance ends with it.
 *
 * @throws EdgeverseError `OBJECT_NOT_FOUND`, `STATE_INVALID`, `ACCESS_DENIED`, `UNAUTHENTICATED`
 */
export function activate(turn: Turn, scope: AsyncScope<Turn>): MaybePromise<unknown> {
  const { activation, plan } = turn;
  const { definition } = activation;
  turn.created = !activation.exists && !turn.detached;
  if (!activation.exists && plan.kind === "call" && !definition.objectClass.autoCreate) {
    throw new EdgeverseError(
      "OBJECT_NOT_FOUND",
      `${activation.key} does not exist, and no call creates it: create it first`,
    );
  }
  if (turn.created && plan.kind === "call") checkCreation(definition.access.create, plan.info.caller, activation.id);
  const instance = new Instance<Turn>(JSON.stringify(parseState(activation)));
  turn.instance = instance;
  turn.text = instance.text;
  instance.current = turn;
  instance.object = construct(definition.objectClass, {
    id: activation.id,
    env: turn.services.env,
    turn() {
      if (instance.active !== undefined) return instance.active;
      const scoped = scope.get();
      if (scoped?.activation === activation && scoped.status === "running") return scoped;
      if (instance.current !== undefined) return instance.current;
      if (scoped?.activation === activation) return scoped;
      throw new Error(`No turn is running on ${activation.key}: state, store and calls belong to a turn`);
    },
  });
  if (!turn.detached) {
    instance.current = undefined;
    activation.instance = instance;
  }
  const hooks = hooksOf(instance.object);
  const created = turn.created && definition.hooks.has("onCreate") ? hooks.onCreate(creation(turn)) : undefined;
  return andThen(created, () => {
    if (turn.status !== "running") throw turn.services.over(turn);
    return definition.hooks.has("onActivate") ? hooks.onActivate() : undefined;
  });
}

function creation({ plan, activation }: Turn): unknown {
  return "creation" in plan ? plan.creation : parseRequest(activation.definition.create, undefined);
}

/** Whether `onDelete` is there and can run: an object whose row can't be read is deleted without it. */
export function deletable(activation: TurnActivation): boolean {
  return activation.definition.hooks.has("onDelete") && (activation.instance !== undefined || isReadable(activation));
}

/** Whether today's code can use the object's row. */
export function isReadable(activation: TurnActivation): boolean {
  try {
    parseState(activation);
    return true;
  } catch {
    return false;
  }
}
