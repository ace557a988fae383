import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { CallMessage, Reply } from "../object/message.ts";
import type { Clock } from "../platform/ports.ts";
import { within } from "../platform/within.ts";
import type { CallKey, OwnerAnswer } from "./call-record.ts";
import type { SweepOrder, SweepReport } from "./mark-sweep.ts";

/** The way to the owners, as upkeep needs it; `Router` fits. */
export interface Owners {
  readonly map: { readonly partitions: readonly string[] };
  /** Takes the coordinator's map, if it can be had. Never rejects. */
  refresh(): Promise<void>;
  /** @throws EdgeverseError `INVALID_ID` */
  owner(object: { readonly type: string; readonly id: string }): string;
}

/** A partition, as upkeep needs it. */
export interface Owner {
  callRecords(keys: readonly CallKey[]): Promise<OwnerAnswer[]>;
  batch(messages: readonly CallMessage[]): Promise<Reply[]>;
  sweepMarks(order: SweepOrder): Promise<SweepReport>;
}

/** What upkeep is made of. */
export interface UpkeepParts {
  readonly router: Owners;
  readonly connect: (partition: string) => Owner;
  readonly clock: Clock;
  readonly config: { readonly retention: number; readonly upkeepMessages: number };
  /** The types that are served. */
  readonly registry: { readonly types: readonly { readonly type: string; readonly retention: number | undefined }[] };
}

/** Ms one run may take; the next goes on. */
export const UPKEEP_TIME = 60_000;
/** Ms a partition has to answer one message. */
const ANSWER_WITHIN = 5_000;
/** Messages on their way at the same time. */
export const CONCURRENCY = 16;

interface AskerParts<Asked> {
  readonly connect: (partition: string) => Asked;
  readonly clock: Clock;
}

/** Asks partitions, and remembers which of them are silent: each costs a run one time-out. */
export class PatientAsker<Asked = Owner> {
  readonly silent = new Set<string>();
  readonly #parts: AskerParts<Asked>;

  constructor(parts: AskerParts<Asked>) {
    this.#parts = parts;
  }

  /** The answer; undefined from a partition that is silent. */
  async ask<Answer>(partition: string, question: (owner: Asked) => Promise<Answer>): Promise<Answer | undefined> {
    const { connect, clock } = this.#parts;
    if (this.silent.has(partition)) return undefined;
    const late = () => new EdgeverseError("UNAVAILABLE", `Partition ${partition} is silent`);
    try {
      return await within(clock, ANSWER_WITHIN, question(connect(partition)), late);
    } catch {
      this.silent.add(partition);
      return undefined;
    }
  }
}

/** Takes what is first by turns: else those at the end of a list would never be reached by runs that end early. */
export function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const first = Math.floor(by) % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
