import { type IndexValue, storedValue } from "../../object/object-index.ts";
import { ledgerIndex } from "./ledger.ts";
import { shardsOf } from "./owner-checks.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

/** In every database, the indexes of ledgers are what a scan of all of them finds, no more and no less ([IDX1], [IDX3], [IDX4]). */
export function checkIndexes({ partitions, deployed }: World): void {
  const index = Object.entries(ledgerIndex(deployed));
  for (const { disk, name } of partitions) {
    if (shardsOf(disk) === undefined) continue;
    const objects = disk.query<{ position: number; id: string; state: string }>(
      "SELECT position, id, state FROM objects WHERE type = 'SimulatedLedger'",
    );
    const scanned = objects.flatMap(({ position, id, state }) => {
      const { tokens = [] } = JSON.parse(state) as { tokens?: string[] };
      return index.flatMap(([which, of]) => {
        const values = ([of({ tokens })].flat() as (IndexValue | undefined)[]).filter((value) => value !== undefined);
        return values.map((value) => `${position}/${id} ${which} ${storedValue(value).join(" ")}`);
      });
    });
    const indexed = disk
      .query<{ position: number; id: string; name: string; rank: number; value: string | number }>(
        "SELECT position, id, name, rank, value FROM index_entries WHERE type = 'SimulatedLedger'",
      )
      .map((row) => `${row.position}/${row.id} ${row.name} ${row.rank} ${row.value}`);
    const [left, right] = [new Set(scanned), new Set(indexed)];
    const missing = scanned.find((entry) => !right.has(entry));
    const extra = indexed.find((entry) => !left.has(entry));
    if (missing !== undefined) throw new Violation(`[IDX1] at ${name}, this is in no index: ${missing}`);
    if (extra !== undefined) throw new Violation(`[IDX1] at ${name}, this is in an index for nothing: ${extra}`);
  }
}
