import type { Message, MessagePlace } from "../storage/message-rows.ts";
import type { OutboxTable } from "./outbox-table.ts";
import type { Room } from "./room.ts";

interface Parts {
  readonly table: OutboxTable;
  readonly room: Room;
  /** Takes in messages: from the table in order, or those that were set aside. */
  readonly take: (messages: readonly Message[], from: "read" | "aside") => void;
  /** Does what reads the table, again later if it can't be read now. */
  readonly surely: (action: () => void) => void;
  /** Calls back when what was read is durable. */
  readonly whenDurable: (action: () => void) => void;
}

/** Messages that are read at once. */
const PAGE = 2_000;
/** Messages that were set aside and are tried again. */
const ASIDE = 5_000;

/** Reads the table from its beginning to its end, page by page: what fits into memory is taken in. */
export class Reading {
  readonly #parts: Parts;
  /** Names the one that is under way. */
  #present: object | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get underWay(): boolean {
    return this.#present !== undefined;
  }

  /** Begins, unless it is under way. `all`: it begins anyway, for there may be messages that nobody knows of. */
  begin(all: boolean): void {
    if (this.#present !== undefined && !all) return;
    const reading = {};
    this.#present = reading;
    this.#parts.room.begin(all);
    this.#page(reading, all);
  }

  /** Begins if somebody has room again for what did not fit. */
  beginIfWanted(): void {
    if (this.#parts.room.wanted) this.begin(false);
  }

  #page(reading: object, all: boolean, last?: MessagePlace): void {
    const { table, surely, whenDurable } = this.#parts;
    surely(() => {
      if (this.#present !== reading) return;
      const messages = last === undefined && table.size.rows === 0 ? [] : table.page(PAGE, last);
      const ends = messages.length < PAGE;
      const aside = ends && all && table.size.rows > 0 ? table.setAside(ASIDE) : [];
      const next = () => {
        if (this.#present !== reading) return;
        this.#parts.take(messages, "read");
        if (ends) this.#end(aside);
        else this.#page(reading, all, messages.at(-1)?.place);
      };
      if (messages.length + aside.length === 0) next();
      else whenDurable(next);
    });
  }

  #end(aside: readonly Message[]): void {
    this.#present = undefined;
    this.#parts.room.end();
    this.#parts.take(aside, "aside");
    this.beginIfWanted();
  }
}
