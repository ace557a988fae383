import type { HandOver } from "../storage/commit-batch.ts";
import type { CommitMember } from "../storage/commit-unit.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import type { Message } from "../storage/message-rows.ts";
import type { OutboxTable } from "./outbox-table.ts";
import { laneOf } from "./sending.ts";

/** Takes a message as a call of its receiver, in this commit, if it can. Says whether it did. */
export type Take = (message: Message, handOver: Omit<HandOver, "to" | "onRefused">) => boolean;

interface Parts {
  readonly commit: GroupCommit;
  readonly table: OutboxTable;
  readonly take: Take;
  /** Whether no message before it, of the same pair, may be stored. */
  readonly first: (message: Message) => boolean;
  /** A row is to be stored, and whoever comes after a crash must look at it. */
  readonly onRow: () => void;
}

/** A message that its turn has sent, and that no commit has yet. */
interface Sent {
  readonly owner: CommitMember;
  readonly message: Message;
  readonly rows: Set<Message>;
}

/** Messages taken in one commit: none waits longer for it than for so many turns. */
const MOST = 2_000;

/**
 * Messages on their way into a commit. One whose receiver is in this partition, and for which no earlier one waits, is taken
 * there by the commit that its turn is in, so that nothing of it need be stored ([CALL7]). Any other is stored as a row.
 */
export class AtOnce {
  readonly #parts: Parts;
  #queue: Sent[] = [];
  /** The place in the queue of the next. */
  #next = 0;
  #under = false;
  /** Pairs of which rows are on their way into the table, and how many. */
  readonly #stored = new Map<string, number>();

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.commit.beforeEach(() => this.#deliver());
  }

  /** Whether rows are on their way. */
  get busy(): boolean {
    return this.#stored.size > 0;
  }

  /** @param rows gets the message if it is stored, before the commit ends */
  add(owner: CommitMember, message: Message, rows: Set<Message>): void {
    this.#queue.push({ owner, message, rows });
  }

  /** The rows have been dealt with: what stands in line after them is known from now on. */
  done(rows: ReadonlySet<Message>): void {
    for (const message of rows) {
      const lane = laneOf(message);
      const count = this.#stored.get(lane) ?? 0;
      if (count > 1) this.#stored.set(lane, count - 1);
      else this.#stored.delete(lane);
    }
  }

  stop(): void {
    this.#queue = [];
    this.#next = 0;
  }

  /** A commit begins. What is taken may send more. */
  #deliver(): void {
    // Within a turn of one that is being taken, nothing may be left out of the commit that has its sender.
    const most = this.#under ? 0 : MOST;
    const outer = this.#under;
    this.#under = true;
    for (let taken = 0; this.#next < this.#queue.length; ) {
      const sent = this.#queue[this.#next++] as Sent;
      if (taken < most && this.#take(sent)) taken++;
      else this.#store(sent);
    }
    this.stop();
    this.#under = outer;
  }

  #take(sent: Sent): boolean {
    const { table, take, first } = this.#parts;
    const { owner, message } = sent;
    const { due, fresh, log, onOutcome } = message;
    if (due > 0 || fresh === undefined || onOutcome !== null || log === "write-ahead") return false;
    if (this.#stored.size > 0 && this.#stored.has(laneOf(message))) return false;
    if (!first(message)) return false;
    const instead = { bulk: table.insert, row: message };
    try {
      return take(message, { from: owner, instead, onInstead: () => this.#note(sent) });
    } catch {
      // Its receiver can't be looked up now.
      return false;
    }
  }

  #store(sent: Sent): void {
    this.#parts.commit.add(sent.owner, this.#parts.table.insert, sent.message);
    this.#note(sent);
  }

  #note({ message, rows }: Sent): void {
    rows.add(message);
    const lane = laneOf(message);
    this.#stored.set(lane, (this.#stored.get(lane) ?? 0) + 1);
    this.#parts.onRow();
  }
}
