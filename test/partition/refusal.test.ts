import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { isRefusal, readable, refusal } from "../../src/partition/storage/refusal.ts";
import { migrate } from "../../src/partition/storage/schema.ts";

function setup(failing?: Error) {
  const storage = new SqliteStorage();
  migrate(storage);
  storage.failing = failing;
  return storage;
}

describe("[TURN4] why a write was refused", () => {
  test("is the turn's own data if a small row can be written", () => {
    const cause = new Error("UNIQUE constraint failed");
    const error = refusal(setup(), cause);
    expect(error).toMatchObject({ code: "COMMIT_REFUSED", retryable: false, cause });
    expect(error.retryAfter).toBeUndefined();
  });

  test.each([
    "SQLITE_FULL: no more room",
    "database or disk is full",
    "exceeded maximum DB size",
    "exceeded its maximum size",
    "exceeded the storage limit",
    "Durable Object's storage has exceeded its storage quota",
  ])("is a full database: %s", (message) => {
    const cause = new Error(message);
    expect(refusal(setup(), cause)).toMatchObject({ code: "STORAGE_FULL", retryable: true, retryAfter: 30, cause });
    // Also if that shows only when the small row is written.
    const other = new Error("constraint failed");
    expect(refusal(setup(cause), other)).toMatchObject({ code: "STORAGE_FULL", retryAfter: 30, cause: other });
  });

  test("is a storage that can't be written to, whatever was", () => {
    const cause = new Error("constraint failed");
    const error = refusal(setup(new Error("disk I/O error")), cause);
    expect(error).toMatchObject({ code: "UNAVAILABLE", retryable: true, retryAfter: 1, cause });
  });

  test("is what Edgeverse itself has refused", () => {
    const cause = new EdgeverseError("UNAVAILABLE", "Shard 1 is another partition's");
    expect(refusal(setup(), cause)).toBe(cause);
  });

  test("is known of an error, and of one that it caused", () => {
    const error = refusal(setup(), new Error("no"));
    expect(isRefusal(error)).toBe(true);
    expect(isRefusal(new EdgeverseError("CALL_FAILED", "no", { cause: error }))).toBe(true);
    expect(isRefusal(new EdgeverseError("COMMIT_REFUSED", "no"))).toBe(false);
    expect(isRefusal(new EdgeverseError("CALL_FAILED", "no", { cause: new Error("no") }))).toBe(false);
    expect(isRefusal(new EdgeverseError("CALL_FAILED", "no", { cause: new EdgeverseError("INTERNAL", "no") }))).toBe(
      false,
    );
  });
});

test("[TURN4] what can't be read is tried again later, and what Edgeverse refuses stays as it is", () => {
  const cause = new Error("disk I/O error");
  const own = new EdgeverseError("STATE_INVALID", "bad");
  const failing = (error: Error) => () =>
    readable(() => {
      throw error;
    }, "away");
  expect(readable(() => 5)).toBe(5);
  expect(failing(own)).toThrow(own);
  expect(failing(cause)).toThrow(
    expect.objectContaining({ code: "UNAVAILABLE", message: "away", retryable: true, cause }),
  );
});
