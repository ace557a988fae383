import { TestCluster } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChatRoom } from "../../examples/chat-room.ts";

interface History {
  readonly lines: readonly { readonly from: string; readonly text: string; readonly at: number }[];
  readonly said: number;
}

const history = (cluster: TestCluster) => cluster.call("ChatRoom", "r", "history") as Promise<History>;

describe("ChatRoom", () => {
  const name = fc.constantFrom("ann", "bob", "cy");
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom("join" as const, "leave" as const), name }),
    { weight: 2, arbitrary: fc.record({ do: fc.constant("say" as const), name }) },
    fc.record({ do: fc.constant("crash" as const), name }),
  );

  test("only members speak, and the history keeps the order of speaking", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const cluster = new TestCluster({ objects: [ChatRoom] });
        const members = new Set<string>();
        const said: string[] = [];
        for (const [index, next] of steps.entries()) {
          if (next.do === "crash") cluster.crash("p0");
          else if (next.do === "say") {
            const call = cluster.call("ChatRoom", "r", "say", { name: next.name, text: `line ${index}` });
            if (members.has(next.name)) {
              said.push(`${next.name}: line ${index}`);
              expect(await call).toEqual({ number: said.length });
            } else await expect(call).rejects.toMatchObject({ code: "CALL_FAILED", reason: "NOT_A_MEMBER" });
          } else {
            if (next.do === "join") members.add(next.name);
            else members.delete(next.name);
            expect(await cluster.call("ChatRoom", "r", next.do, { name: next.name })).toEqual({
              members: [...members],
            });
          }
        }
        const { lines, said: count } = await history(cluster);
        expect(lines.map(({ from, text }) => `${from}: ${text}`)).toEqual(said);
        expect(count).toBe(said.length);
      }),
      { numRuns: 30 },
    );
  });

  test("a room remembers its last hundred lines and counts all of them", async () => {
    const cluster = new TestCluster({ objects: [ChatRoom] });
    await cluster.call("ChatRoom", "r", "join", { name: "ann" });
    const numbers = await Promise.all(
      Array.from({ length: 130 }, (_, line) => cluster.call("ChatRoom", "r", "say", { name: "ann", text: `${line}` })),
    );
    expect(numbers).toEqual(Array.from({ length: 130 }, (_, line) => ({ number: line + 1 })));
    const { lines, said } = await history(cluster);
    expect(said).toBe(130);
    expect(lines.map(({ text }) => Number(text))).toEqual(
      Array.from({ length: ChatRoom.remembered }, (_, n) => n + 30),
    );
  });

  test("a full room takes nobody else", async () => {
    const cluster = new TestCluster({ objects: [ChatRoom] });
    await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => cluster.call("ChatRoom", "r", "join", { name: `m${index}` })),
    );
    await expect(cluster.call("ChatRoom", "r", "join", { name: "late" })).rejects.toMatchObject({
      reason: "ROOM_FULL",
    });
    await cluster.call("ChatRoom", "r", "leave", { name: "m7" });
    expect(await cluster.call("ChatRoom", "r", "join", { name: "late" })).toMatchObject({
      members: expect.arrayContaining(["late"]),
    });
  });

  test.each<[string, object]>([
    ["an empty line", { text: "" }],
    ["a long line", { text: "x".repeat(2_001) }],
    ["no name", { name: "" }],
    ["a long name", { name: "n".repeat(65) }],
  ])("names and lines have limits: %s", async (_, bad) => {
    const cluster = new TestCluster({ objects: [ChatRoom] });
    await cluster.call("ChatRoom", "r", "join", { name: "ann" });
    await expect(cluster.call("ChatRoom", "r", "say", { name: "ann", text: "hello", ...bad })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(await history(cluster)).toEqual({ lines: [], said: 0 });
  });
});
