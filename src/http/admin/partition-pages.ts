import * as z from "zod";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { PAGE_CHARACTERS } from "../../reliable/ports.ts";
import { readCursor, writeCursor } from "../../router/cursor.ts";
import type { PartitionClient } from "../../router/ports.ts";
import { ADMIN_LIMIT, askPartition } from "../ask-partitions.ts";
import type { HttpParts } from "../ports.ts";

/** Questions to partitions one page may cost; it then is short and has a cursor. */
const QUESTIONS = 32;

interface Walk<Row, After> {
  /** Partitions to be asked, in their order. */
  readonly names: readonly string[];
  /** Of the page before. */
  readonly cursor: string | undefined;
  /** What a place within a partition is. */
  readonly after: z.ZodType<After>;
  readonly limit: number;
  readonly charactersOf: (row: Row) => number;
  readonly ask: (
    client: PartitionClient,
    query: { readonly after: After | undefined; readonly limit: number },
  ) => Promise<{ readonly rows: readonly Row[]; readonly next: After | null }>;
}

/** A page of what partitions have, one partition after the other. One that is silent is named. */
export async function partitionPage<Row, After>(parts: HttpParts, walk: Walk<Row, After>) {
  const { names, limit, charactersOf, ask } = walk;
  const placeSchema = z.strictObject({ partition: z.string(), after: walk.after.optional() });
  type Place = { readonly partition: string; readonly after?: After | undefined };
  const following = (partition: string | undefined): Place | undefined => {
    const name = names[partition === undefined ? 0 : names.indexOf(partition) + 1];
    return name === undefined ? undefined : { partition: name };
  };
  const rows: Row[] = [];
  const unreachable: string[] = [];
  const until = parts.clock.now() + ADMIN_LIMIT;
  let characters = 0;
  let next: Place | undefined = readCursor(walk.cursor, placeSchema) ?? following(undefined);
  if (next !== undefined && !names.includes(next.partition))
    throw new EdgeverseError("INVALID_ARGUMENT", "Cannot use the cursor: it belongs to another listing");
  for (let asked = 0; next !== undefined && asked < QUESTIONS && parts.clock.now() < until; asked++) {
    const { partition, after }: Place = next;
    const query = { after, limit: limit - rows.length };
    next = following(partition);
    try {
      const page = await askPartition(parts, partition, ADMIN_LIMIT, (client) => ask(client, query));
      rows.push(...page.rows);
      for (const row of page.rows) characters += charactersOf(row);
      if (page.next !== null) next = { partition, after: page.next };
    } catch {
      unreachable.push(partition);
    }
    if (rows.length >= limit || characters >= PAGE_CHARACTERS) break;
  }
  return { rows, unreachable, cursor: next === undefined ? undefined : writeCursor(next) };
}
