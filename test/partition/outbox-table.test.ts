import { expect, test } from "vitest";
import { OutboxTable } from "../../src/partition/outbox/outbox-table.ts";
import { ChangeTracker } from "../../src/partition/storage/change-tracker.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { groupCommit, PickyStorage, Thing } from "./commit-fixture.ts";

/** A table, and messages to store in it. */
function setup(at = 5_000) {
  const storage = new PickyStorage();
  migrate(storage);
  const now = () => at;
  const table = () =>
    new OutboxTable({ storage, now, changes: new ChangeTracker(storage, now), fence: () => undefined });
  const message = {
    due: 0,
    callId: "c",
    to: { type: "T", id: "b" },
    method: "m",
    onOutcome: null,
    caller: "{}",
    requestId: "r",
    traceparent: null,
    expiresAt: null,
    log: null,
    bytes: 100,
    request: null,
  };
  const placed = (n: string) => ({ ...message, place: [7, "T", "a", n] as const });
  return { storage, table, placed };
}

test("[CALL7] the next process gives out no number again, also of messages that are yet to leave", () => {
  const { table: made, placed } = setup();
  const table = made();
  const numbers = [1, 2, 3].map(() => table.nextNumber(90_000));
  table.insert.store(numbers.map((n) => ({ ...placed(n), due: 90_000 })));
  const next = made();
  const last = (numbers.at(-1) as string).split(".")[1] as string;
  expect(next.nextNumber() > last).toBe(true);
  // What leaves later is behind what is sent until then, and before what is sent after.
  expect([next.nextNumber(90_000) > (numbers.at(-1) as string), next.nextNumber() < (numbers[0] as string)]).toEqual([
    true,
    true,
  ]);
});

test("[CALL7] messages are counted with the transaction that takes them, also if they are counted anew before it is durable", async () => {
  const { storage, table: made, placed } = setup();
  const { clock, commit } = groupCommit(undefined, storage);
  const table = made();
  const message = placed(table.nextNumber());
  const sender = new Thing("a");
  const durable = Promise.withResolvers<void>();
  storage.barrier = () => durable.promise;
  const size = () => [table.size.rows, table.size.bytes];
  const before = size();
  commit.add(sender, table.insert, message);
  await clock.advance(0);
  table.recount();
  const [rows, bytes] = size();
  durable.resolve();
  await clock.advance(0);
  expect([before, rows, size()]).toEqual([[0, 0], 1, [1, bytes]]);
  commit.add(sender, table.remove, message);
  // It is split, and its rows are stored twice.
  commit.changed(new Thing("bad", "POISON"));
  await clock.advance(0);
  expect(size()).toEqual([0, 0]);
  table.recount();
  expect(size()).toEqual([0, 0]);
});
