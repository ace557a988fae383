import { EdgeverseError, type WireError } from "../../errors/edgeverse-error.ts";
import { copyJson, freezeJson } from "../../object/json.ts";
import type { TypeDefinition } from "../../object/registry.ts";
import type { SqlStorage } from "../../platform/ports.ts";
import { parseState } from "../turns/activate.ts";

/** A gate that watches an object. */
export interface Watcher {
  /** When its lease ends, ms since the epoch. */
  until: number;
  /** The version that it has; null: that there is none. Undefined while that is not known. */
  told: number | null | undefined;
}

/** An object that gates watch. */
export interface Watched {
  readonly key: string;
  readonly definition: TypeDefinition;
  readonly id: string;
  readonly position: number;
  readonly gates: Map<string, Watcher>;
}

/** What is stored of it: what clients see, nothing, or why they can't see it. */
export type Seen =
  | { readonly version: number; readonly state: string }
  | { readonly version: null }
  | { readonly error: WireError };

/** Reads what the last commit has left. */
export function look({ key, definition, id, position }: Watched, storage: SqlStorage): Seen {
  const sql = "SELECT state, version, updated FROM objects WHERE position = ? AND type = ? AND id = ?";
  const [row] = storage.query<{ state: string; version: number; updated: number }>(sql, position, definition.type, id);
  if (row === undefined) return { version: null };
  try {
    const state = parseState({ key, definition, exists: true, text: row.state, version: row.version });
    const { view } = definition;
    const seen = view === undefined ? state : copyJson(view(freezeJson(state)));
    const text = JSON.stringify(seen) as string | undefined;
    if (text === undefined) throw new Error("the view of its class's static live gives undefined");
    return { version: row.updated, state: text };
  } catch (cause) {
    if (cause instanceof EdgeverseError) return { error: cause.toWire() };
    return { error: new EdgeverseError("INTERNAL", `The view of ${key} failed`, { cause }).toWire() };
  }
}

/** The version that a gate has once it is told this; undefined for what is no version. */
export function versionOf(seen: Seen): number | null | undefined {
  return "error" in seen ? undefined : seen.version;
}
