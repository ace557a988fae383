import type { CommitMember } from "./commit-unit.ts";

/** An object as a commit writes it: its newest state, and what of it the database has not seen. */
export interface UnsavedObject extends CommitMember {
  readonly position: number;
  readonly id: string;
  readonly definition: { readonly type: string };
  /** False: its row is to be removed. */
  readonly exists: boolean;
  /** JSON text of the state, when it exists. */
  readonly text: string;
  /** Version of the state's shape that wrote `text`. */
  readonly version: number;
  /** What its indexes have of the state, of a type with indexes. */
  readonly entries: string | undefined;
  /** Part of the next commit; the fields below say what to write. */
  dirty: boolean;
  /** Stored rows are to be removed before `rows` is written: the object was deleted. */
  wiped: boolean;
  /** Store rows to write: text, or null for a deletion. */
  rows: Map<string, string | null> | undefined;
}
