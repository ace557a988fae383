import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CommitMember } from "../storage/commit-unit.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import type { TurnActivation } from "./turn.ts";
import type { TurnEffect } from "./turn-effect.ts";

/** What takes the rows of turns. */
export interface RowBox<Row> {
  /** @throws EdgeverseError `OVERLOADED` when rows of `bytes` more may not be taken */
  checkRoom(bytes: number): void;
  /** Stores rows with what `owner` does. */
  publish(owner: CommitMember, rows: readonly Row[]): void;
}

export interface TurnRowsParts<Row> {
  readonly memory: MemoryBudget;
  readonly box: RowBox<Row>;
  readonly bytesOf: (row: Row) => number;
  /** What can't be done with more of them, such as "send more than … calls". */
  readonly verb: string;
  readonly noun: string;
}

/** Rows that one turn may add, and their bytes. */
const MOST = { rows: 1_000, bytes: 8 * 1024 * 1024 };

/** Rows that a turn adds beside its object's own: stored if it succeeds. */
export class TurnRows<Row> implements TurnEffect {
  readonly #activation: TurnActivation;
  readonly #parts: TurnRowsParts<Row>;
  #rows: Row[] = [];
  #bytes = 0;

  constructor(activation: TurnActivation, parts: TurnRowsParts<Row>) {
    this.#activation = activation;
    this.#parts = parts;
  }

  /** @throws EdgeverseError `PAYLOAD_TOO_LARGE`, `OVERLOADED` */
  add(row: Row): void {
    const { memory, box, bytesOf } = this.#parts;
    const bytes = bytesOf(row);
    this.#checkSize(this.#rows.length + 1, this.#bytes + bytes);
    box.checkRoom(this.#bytes + bytes);
    memory.hold(bytes);
    this.#rows.push(row);
    this.#bytes += bytes;
  }

  checkAbsorb(inner: this): void {
    this.#checkSize(this.#rows.length + inner.#rows.length, this.#bytes + inner.#bytes);
  }

  absorb(inner: this): void {
    this.#rows.push(...inner.#rows);
    this.#bytes += inner.#bytes;
    inner.#rows = [];
    inner.#bytes = 0;
  }

  check(): void {
    this.#parts.box.checkRoom(this.#bytes);
  }

  publish(): void {
    this.#parts.box.publish(this.#activation, this.#rows);
  }

  close(): void {
    this.#parts.memory.free(this.#bytes);
    this.#bytes = 0;
    this.#rows = [];
  }

  #checkSize(rows: number, bytes: number): void {
    if (rows <= MOST.rows && bytes <= MOST.bytes) return;
    const { verb, noun } = this.#parts;
    throw new EdgeverseError(
      "PAYLOAD_TOO_LARGE",
      `Cannot ${verb} more than ${MOST.rows} ${noun}, or ${MOST.bytes} bytes of them, from one turn`,
    );
  }
}
