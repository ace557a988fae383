import { BucketTable } from "./bucket-table.ts";
import type { ReadyLimit } from "./limit-set.ts";

/** The tables of several limits, which share the bytes. */
export class BucketTables {
  readonly #bytes: number;
  #tables = new Map<string, BucketTable>();

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Estimated. */
  get bytes(): number {
    let bytes = 0;
    for (const table of this.#tables.values()) bytes += table.bytes;
    return bytes;
  }

  /** A table for each of these limits and for no other: the one it had, if the limit is as before. */
  keep(limits: readonly Pick<ReadyLimit, "text">[], now: number): void {
    const share = Math.floor(this.#bytes / Math.max(1, limits.length));
    this.#tables = new Map(
      limits.map(({ text }) => {
        const table = this.#tables.get(text) ?? new BucketTable(share);
        table.resize(share, now);
        return [text, table];
      }),
    );
  }

  of({ text }: Pick<ReadyLimit, "text">): BucketTable {
    return this.#tables.get(text) as BucketTable;
  }
}
