import { describe, expect, test } from "vitest";
import { EMPTY_DIGEST, withRow } from "../../src/partition/storage/row-digest.ts";
import type { CopyCursor, TransferChunk } from "../../src/placement/move.ts";
import { many, OWNER, order, ShardEnd } from "./shard-fixture.ts";

/** A leaving shard with an object of so many rows. */
function leaving(count: number): ShardEnd {
  const source = new ShardEnd(OWNER);
  if (count > 0) source.write("a", many(count));
  source.offer(1);
  return source;
}

/** What the digest of everything that is stored must be. */
function whole(source: ShardEnd) {
  return source.storage
    .query<{ id: string; key: string; value: string }>("SELECT id, key, value FROM rows")
    .reduce(
      (digest, { id, key, value }) => withRow(digest, { kind: 1, position: 7, type: "T", id, key }, [value], 1),
      EMPTY_DIGEST,
    );
}

/** Messages from the cursor to the end of the first pass. */
function pass(source: ShardEnd, from: CopyCursor | null = null): TransferChunk[] {
  const chunks = [source.chunk(1, from)];
  for (let last = chunks[0]; last !== undefined && last.to.scan !== null; last = chunks.at(-1))
    chunks.push(source.chunk(1, last.to));
  return chunks;
}

const sizes = (chunks: readonly TransferChunk[]) => chunks.map(({ rows }) => rows.length);
const END = { scan: null, change: 0 };

describe("the first pass of a copy", () => {
  test("[MIG2] reads every row once, each message where the last one ended", () => {
    const source = leaving(450);
    const chunks = pass(source);
    expect(sizes(chunks)).toEqual([200, 200, 50]);
    expect(chunks.flatMap(({ rows }) => rows.map(({ key }) => key))).toEqual(Object.keys(many(450)));
    expect(chunks.map(({ from }) => from)).toEqual([null, chunks[0]?.to, chunks[1]?.to]);
    expect(chunks[0]).toMatchObject({ order: order(1), epoch: 2, to: { scan: { kind: 1, key: "k0199" }, change: 0 } });
    expect(source.chunk(1, END, true)).toEqual({
      order: order(1),
      epoch: 2,
      from: END,
      rows: [],
      to: END,
      final: whole(source),
    });
  });

  test.each([
    ["nothing", 0],
    ["the first message", 1],
    ["all but the last message", 2],
    ["everything", 3],
  ])("[MIG3] that starts over after the target has lost %s counts no row twice", (_name, sent) => {
    const source = leaving(450);
    let cursor: CopyCursor | null = null;
    for (let message = 0; message < sent; message++) cursor = source.chunk(1, cursor).to;
    source.crash();
    expect(sizes(pass(source))).toEqual([200, 200, 50]);
    expect(source.chunk(1, END, true).final).toEqual(whole(source));
  });

  test("[MIG3] goes on where it was after a crash", () => {
    const source = leaving(450);
    const first = source.chunk(1, null);
    source.crash();
    expect(sizes(pass(source, first.to))).toEqual([200, 50]);
    expect(source.chunk(1, END, true).final).toEqual(whole(source));
  });

  test("[MIG3] counts no row twice when a message that is repeated reaches further than before", () => {
    const source = leaving(450);
    source.chunk(1, null);
    source.write("a", { k0000: null, k0001: null });
    const again = source.chunk(1, null);
    expect(again.to.scan?.key).toBe("k0201");
    pass(source, again.to);
    expect(source.chunk(1, END, true).final).toEqual(whole(source));
  });

  test("[MIG2] [MIG3] that starts over still notes what changes of the rows it has read before", () => {
    const source = leaving(450);
    source.chunk(1, source.chunk(1, null).to);
    const again = source.chunk(1, null);
    source.write("a", { k0300: "new" });
    pass(source, again.to);
    expect(source.chunk(1, END, true).final).toEqual(whole(source));
    expect(source.chunk(1, END, true).rows.at(-1)).toMatchObject({ key: "k0300", values: ["new"] });
  });
});

describe("the changes after it", () => {
  test("[MIG3] the digest comes with the last of them, and only when callers are stopped", () => {
    const source = leaving(0);
    pass(source);
    source.write("a", many(450, "new"));
    const sent: TransferChunk[] = [];
    for (let cursor: CopyCursor = END; sent.at(-1)?.final === undefined; cursor = sent.at(-1)?.to as CopyCursor) {
      expect(source.chunk(1, cursor, false)).not.toHaveProperty("final");
      sent.push(source.chunk(1, cursor, true));
    }
    // The object's own row, which is not there, is among them.
    expect(sizes(sent)).toEqual([200, 200, 51]);
    expect(sent.at(-1)?.final).toEqual(whole(source));
  });

  test("[MIG3] large ones fill a message before it has its rows", () => {
    const source = leaving(0);
    pass(source);
    source.write("a", many(3, "x".repeat(100_000)));
    const first = source.chunk(1, END, true);
    expect(first.rows).toHaveLength(3);
    expect(first).not.toHaveProperty("final");
    expect(source.chunk(1, first.to, true)).toMatchObject({ rows: [{ key: "k0002" }], final: whole(source) });
  });
});
