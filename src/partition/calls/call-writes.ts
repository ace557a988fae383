import type { BulkWrite } from "../storage/commit-batch.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import type { StoredCall } from "../storage/stored-call.ts";
import type { Entry } from "./call-entry.ts";
import type { EndedCall } from "./call-table.ts";
import type { ReliableCallParts } from "./reliable-call-parts.ts";

/**
 * What the next commit writes of reliable calls: a mark for each that has ended by then, whether or not an earlier commit
 * has its acceptance; and the acceptance of each that has arrived and not ended. Many to a statement.
 */
export class CallWrites {
  readonly #commit: GroupCommit;
  readonly #logs: boolean;
  readonly #onWrite: () => void;
  readonly #acceptances: BulkWrite<StoredCall>;
  readonly #outcomes: BulkWrite<EndedCall>;
  readonly #arrived = new Set<Entry>();
  readonly #ended = new Set<Entry>();

  constructor({ commit, table, gate, onProgress }: ReliableCallParts) {
    this.#commit = commit;
    this.#logs = gate !== undefined;
    this.#onWrite = onProgress;
    this.#acceptances = { store: (calls) => table.accept(calls) };
    this.#outcomes = { store: (calls) => table.finish(calls) };
    commit.beforeEach(() => this.#prepare());
  }

  /** The call is accepted with the next commit. To be followed by `commit.settled`. */
  arrived(entry: Entry): void {
    this.#arrived.add(entry);
  }

  /** The call's outcome is stored with the next commit. To be followed by `commit.settled`. */
  ended(entry: Entry): void {
    this.#arrived.delete(entry);
    this.#ended.add(entry);
  }

  /** Nothing is written of a call that has not been given to a commit. */
  forget(entry: Entry): void {
    this.#arrived.delete(entry);
  }

  #prepare(): void {
    if (this.#arrived.size === 0 && this.#ended.size === 0) return;
    try {
      // The wake-up is set with what it is for. An outcome that no log waits for needs none.
      if (this.#arrived.size > 0 || this.#logs) this.#onWrite();
    } catch {
      // A storage that can't take the alarm can't take the rows either: then those who wait are told why.
    }
    for (const entry of this.#arrived) {
      this.#alongside(entry);
      entry.written = true;
      this.#commit.add(entry.activation, this.#acceptances, entry.stored);
    }
    for (const entry of this.#ended) {
      if (!entry.written) this.#alongside(entry);
      this.#commit.add(entry.activation, this.#outcomes, { ...entry.stored, accepted: entry.written });
    }
    this.#arrived.clear();
    this.#ended.clear();
  }
  /** The call is stored for the first time, or once more after a commit was refused. */
  #alongside({ activation, alongside }: Entry): void {
    if (alongside !== undefined) this.#commit.add(activation, alongside.bulk, alongside.row as never);
  }
}
