import { TestCluster } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChatRoom } from "../../examples/chat-room.ts";

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
        const room = cluster.object(ChatRoom, "r");
        const members = new Set<string>();
        const said: string[] = [];
        for (const [index, next] of steps.entries()) {
          if (next.do === "crash") cluster.crash("p0");
          else if (next.do === "say") {
            const call = room.say({ name: next.name, text: `line ${index}` });
            if (members.has(next.name)) {
              said.push(`${next.name}: line ${index}`);
              expect(await call).toEqual({ number: said.length });
            } else await expect(call).rejects.toMatchObject({ code: "CALL_FAILED", reason: "NOT_A_MEMBER" });
          } else {
            if (next.do === "join") members.add(next.name);
            else members.delete(next.name);
            expect(await room[next.do]({ name: next.name })).toEqual({
              members: [...members],
            });
          }
        }
        const { lines, said: count } = await room.history();
        expect(lines.map(({ from, text }) => `${from}: ${text}`)).toEqual(said);
        expect(count).toBe(said.length);
      }),
      { numRuns: 30 },
    );
  });

  test("a room remembers its last hundred lines and counts all of them", async () => {
    const cluster = new TestCluster({ objects: [ChatRoom] });
    const room = cluster.object(ChatRoom, "r");
    await room.join({ name: "ann" });
    const numbers = await Promise.all(
      Array.from({ length: 130 }, (_, line) => room.say({ name: "ann", text: `${line}` })),
    );
    expect(numbers).toEqual(Array.from({ length: 130 }, (_, line) => ({ number: line + 1 })));
    const { lines, said } = await room.history();
    expect(said).toBe(130);
    expect(lines.map(({ text }) => Number(text))).toEqual(
      Array.from({ length: ChatRoom.remembered }, (_, n) => n + 30),
    );
  });

  test("a full room takes nobody else", async () => {
    const cluster = new TestCluster({ objects: [ChatRoom] });
    const room = cluster.object(ChatRoom, "r");
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => room.join({ name: `m${index}` })));
    await expect(room.join({ name: "late" })).rejects.toMatchObject({
      reason: "ROOM_FULL",
    });
    await room.leave({ name: "m7" });
    expect(await room.join({ name: "late" })).toMatchObject({
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
    const room = cluster.object(ChatRoom, "r");
    await room.join({ name: "ann" });
    await expect(room.say({ name: "ann", text: "hello", ...bad })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(await room.history()).toEqual({ lines: [], said: 0 });
  });
});
