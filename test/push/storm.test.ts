import { afterEach, describe, expect, test, vi } from "vitest";
import { MessageLog } from "../../src/push/message-log.ts";
import { SessionTable } from "../../src/push/session-table.ts";
import { TestGates } from "../../src/testing/test-gates.ts";
import { storm } from "./storm-fixture.ts";

const SEEDS = 12;

afterEach(() => vi.restoreAllMocks());

/** What goes wrong under the first seed that finds anything. */
async function found(seeds: number): Promise<string | undefined> {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      await storm(seed);
    } catch (error) {
      return (error as Error).message;
    }
  }
  return undefined;
}

describe("under crashes, cuts and moves", () => {
  test.each(Array.from({ length: SEEDS }, (_, index) => index + 1))(
    "[PUSH1] [PUSH4] clients get each message once and in order, or are told of a gap: seed %i",
    async (seed) => {
      await storm(seed);
    },
  );

  test("messages that a gate does not know again are found", async () => {
    const deliver = TestGates.prototype.deliver;
    vi.spyOn(TestGates.prototype, "deliver").mockImplementation(async function (this: TestGates, gate, messages) {
      await deliver.call(this, gate, messages);
      const unknown = messages.map((message) => ({ ...message, callId: `${message.callId}-again` }));
      await deliver.call(this, gate, unknown);
    });
    expect(await found(10)).toMatch(/came after/);
  });

  test("messages that come again are known", async () => {
    const deliver = TestGates.prototype.deliver;
    vi.spyOn(TestGates.prototype, "deliver").mockImplementation(async function (this: TestGates, gate, messages) {
      await deliver.call(this, gate, messages);
      await deliver.call(this, gate, messages);
    });
    expect(await found(4)).toBeUndefined();
  });

  test("a gate that tells no gap is found", async () => {
    vi.spyOn(MessageLog.prototype, "gone", "get").mockReturnValue(0);
    expect(await found(40)).toMatch(/no gap was told/);
  });

  test("a session that goes on from the newest message is found", async () => {
    const get = SessionTable.prototype.get;
    vi.spyOn(SessionTable.prototype, "get").mockImplementation(function (this: SessionTable, client) {
      const known = get.call(this, client);
      if (known !== undefined) known.session.position = Number.MAX_SAFE_INTEGER;
      return known;
    });
    expect(await found(40)).toMatch(/no gap was told/);
  });

  test("a partition that takes an error for an answer is found", async () => {
    const deliver = TestGates.prototype.deliver;
    vi.spyOn(TestGates.prototype, "deliver").mockImplementation(async function (this: TestGates, gate, messages) {
      await deliver.call(this, gate, messages).catch(() => undefined);
    });
    expect(await found(40)).toMatch(/no gap was told/);
  });
});
