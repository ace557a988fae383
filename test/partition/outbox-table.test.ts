import { expect, test } from "vitest";
import { OutboxTable } from "../../src/partition/outbox/outbox-table.ts";
import { ChangeTracker } from "../../src/partition/storage/change-tracker.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { SqliteStorage } from "../../src/testing/sqlite-storage.ts";

test("[CALL7] the next process gives out no number again, also of messages that are yet to leave", () => {
  const storage = new SqliteStorage();
  migrate(storage);
  const now = () => 5_000;
  const made = () =>
    new OutboxTable({ storage, now, changes: new ChangeTracker(storage, now), fence: () => undefined });
  const table = made();
  const numbers = [1, 2, 3].map(() => table.nextNumber());
  const message = {
    due: 90_000,
    callId: "c",
    to: { type: "T", id: "b" },
    method: "m",
    onOutcome: null,
    caller: "{}",
    requestId: "r",
    traceparent: null,
    expiresAt: null,
    log: null,
    bytes: 0,
    request: null,
  };
  table.insert.store(numbers.map((n) => ({ ...message, place: [7, "T", "a", n] as const })));
  const next = made().nextNumber();
  expect(next > (numbers.at(-1) as string)).toBe(true);
});
