import { setImmediate } from "node:timers/promises";
import { ManualClock } from "edgeverse/testing";
import { expect } from "vitest";
import { placementOf } from "../../src/identity/object-id.ts";
import type { Moved } from "../../src/object/message.ts";
import { IncomingMoves } from "../../src/partition/moves/incoming-moves.ts";
import { ShardCleaner } from "../../src/partition/moves/shard-cleaner.ts";
import type { CopyCursor, MoveInquiry, MoveOrder, TransferReply } from "../../src/placement/move.ts";
import type { PartitionClient } from "../../src/router/ports.ts";
import { many, OTHER, OWNER, ShardEnd } from "./shard-fixture.ts";

export const READY = { kind: "ready", epoch: 2, move: 1, from: OWNER };
export const STAGED = { ...READY, kind: "incoming" };

/** The target of a move and its source, whose answers to questions a test gives. */
export function setup(rows = 10) {
  const clock = new ManualClock();
  const source = new ShardEnd(OWNER, clock);
  const target = new ShardEnd(OTHER, clock);
  if (rows > 0) source.write("a", many(rows));
  source.offer(1);
  const events: string[] = [];
  const cleaner = new ShardCleaner({
    ...target,
    onStart: () => events.push("cleans"),
    onEnd: () => undefined,
    onError: (error) => expect.fail(String(error)),
  });
  const asked: { order: MoveOrder; of: string; answer: (inquiry: MoveInquiry) => void; fail: () => void }[] = [];
  const inquire = (of: string, order: MoveOrder) =>
    new Promise<MoveInquiry>((answer, reject) =>
      asked.push({ order, of, answer, fail: () => reject(new Error("lost")) }),
    );
  const incoming = new IncomingMoves({
    ...target,
    cleaner,
    connect: (of) => ({ inquire: (order: MoveOrder) => inquire(of, order) }) as PartitionClient,
    onRows: () => undefined,
    onOwned: (shard) => events.push(`owns ${shard}`),
  });
  const state = () => target.ownership.record(0)?.state;
  return { clock, source, target, incoming, events, asked, state };
}

/** Sends the first pass of a move; where it ended. */
export async function copy(source: ShardEnd, incoming: IncomingMoves, id: number): Promise<CopyCursor> {
  let cursor: CopyCursor | null = null;
  do {
    const reply: TransferReply = await incoming.transfer(source.chunk(id, cursor));
    if (reply.kind !== "stored") throw new Error(JSON.stringify(reply));
    cursor = reply.cursor;
  } while (cursor.scan !== null);
  return cursor;
}

/** Sends what follows the cursor, to the end; says what the target answered. */
export async function sendAll(
  source: ShardEnd,
  incoming: IncomingMoves,
  id: number,
  from: CopyCursor | null = null,
): Promise<TransferReply[]> {
  const replies: TransferReply[] = [];
  let cursor = from;
  for (let ready = false; !ready && replies.length < 100; ) {
    const reply = await incoming.transfer(source.chunk(id, cursor, cursor !== null && cursor.scan === null));
    replies.push(reply);
    if (reply.kind !== "stored") return replies;
    ({ cursor, ready } = reply);
  }
  return replies;
}

/** A caller at the gate of a shard, and with what it was let go. */
export function atGate({ ownership, clock }: ShardEnd) {
  const located = ownership.locate(placementOf("a"), clock.now());
  const answers: (Moved | undefined)[] = [];
  if (located.kind === "gated") located.wait((moved) => answers.push(moved));
  return {
    async answers() {
      await setImmediate();
      return answers;
    },
  };
}
