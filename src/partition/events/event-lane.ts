import type { CommitMember, CommitUnit } from "../storage/commit-unit.ts";
import type { EventHead } from "../storage/event-rows.ts";
import type { EventOwner } from "./event-table.ts";

/** Events of one object in memory for one sink; the others follow from the table. */
const MOST = 100;

/** The events of one object that one sink has yet to get, in order. What is written of them commits alone. */
export class EventLane implements CommitMember {
  unit: CommitUnit | undefined;
  readonly owner: EventOwner;
  readonly heads: EventHead[] = [];
  /** The table has more of them, after the last here. */
  more = false;
  /** Its first events are under way. */
  busy = false;
  /** Its first event goes alone: it was refused together with others. */
  alone = false;
  /** Times in a row that the sink did not take its first event. */
  failures = 0;
  /** When the sink refused its first event first. */
  refusedAt: number | undefined;
  /** When it is tried again. */
  again: number | undefined;

  constructor(owner: EventOwner) {
    this.owner = owner;
  }

  static readonly most = MOST;

  /** Names the object of an event in memory. */
  static keyOf([position, type, id]: EventOwner | EventHead["place"]): string {
    return `${position} ${type} ${id}`;
  }

  get position(): number {
    return this.owner[0];
  }

  /** Whether something of it can be sent now. */
  get ready(): boolean {
    return !this.busy && this.again === undefined && this.heads.length > 0;
  }

  /** Adds an event unless it is there, or must follow others that are not. @returns whether it was added */
  add(head: EventHead): boolean {
    if (this.more) return false;
    const n = head.place[3];
    const last = this.heads.at(-1);
    if (last !== undefined && n <= last.place[3]) return false;
    if (this.heads.length >= MOST) {
      this.more = true;
      return false;
    }
    this.heads.push(head);
    return true;
  }

  /** The sink has the first events, or they were set aside. */
  passed(count: number): void {
    this.heads.splice(0, count);
    this.busy = false;
    this.alone = false;
    this.failures = 0;
    this.refusedAt = undefined;
    this.again = undefined;
  }
}
