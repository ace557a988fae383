import { expect, test } from "vitest";
import { Room } from "../../src/partition/outbox/room.ts";
import { type Part, Sending } from "../../src/partition/outbox/sending.ts";

const MOST = 10_000;

/** Partitions are named by the first letter of their objects' ids, and parts by the whole. */
function setup() {
  const left: string[] = [];
  const room = new Room(
    ({ id }) => id.slice(0, 1),
    ({ message }) => left.push(`${message.to.id} ${message.place[3]}`),
  );
  const made = (to: string, n: number, part: Part = to) =>
    new Sending(
      {
        place: [7, "T", "a", String(n).padStart(16, "0")],
        due: 0,
        callId: "c",
        to: { type: "T", id: to },
        method: "m",
        onOutcome: null,
        caller: "{}",
        requestId: "r",
        traceparent: null,
        expiresAt: null,
        log: null,
        bytes: 0,
        request: null,
      },
      part,
    );
  room.begin(true);
  room.end();
  return { room, left, made };
}

test("[CALL7] who needs room gets some of the largest share, from its end", () => {
  const { room, left, made } = setup();
  const sendings = Array.from({ length: MOST + 1 }, (_, n) => made("p1", n));
  expect(sendings.filter((sending) => room.take(sending, "new"))).toHaveLength(MOST);
  expect(room.take(made("q1", MOST + 1), "new")).toBe(true);
  expect(left).toHaveLength(MOST / 2);
  expect([left[0], left.at(-1)]).toEqual([`p1 ${"9999".padStart(16, "0")}`, `p1 ${"5000".padStart(16, "0")}`]);
  expect(room.size).toBe(MOST / 2 + 1);
  expect(room.has(sendings[MOST / 2 - 1] as Sending)).toBe(true);
  // There is room again, but what is sent to p1 now is behind what has left; to p2 there is nothing before it.
  expect(room.take(made("p1", MOST + 2), "new")).toBe(false);
  expect(room.take(made("p2", MOST + 3), "new")).toBe(true);
});

test("[CALL7] what did not fit is wanted again when half of the share is free, and read in order", () => {
  const { room, made } = setup();
  const sendings = Array.from({ length: MOST + 2 }, (_, n) => made("p1", n));
  for (const sending of sendings) room.take(sending, "new");
  expect([room.more, room.wanted]).toEqual([true, false]);
  for (const sending of sendings.slice(0, MOST)) {
    if (room.wanted) break;
    room.delete(sending);
  }
  expect(room.size).toBe(MOST / 4);
  room.begin(false);
  // While it reads, what is sent is still behind what was not read yet, and what it has passed.
  expect(room.take(made("p1", MOST + 3), "new")).toBe(false);
  expect(room.take(sendings[MOST] as Sending, "read")).toBe(false);
  room.end();
  expect(room.wanted).toBe(true);
  room.begin(false);
  expect(room.take(sendings[MOST] as Sending, "read")).toBe(true);
  expect(room.take(sendings[MOST + 1] as Sending, "read")).toBe(true);
  expect(room.take(made("p1", MOST + 3), "read")).toBe(true);
  room.end();
  expect([room.more, room.take(made("p1", MOST + 4), "new")]).toEqual([false, true]);
});

test("[CALL7] until the table was read nothing may come in but from there", () => {
  const { room, made } = setup();
  room.begin(true);
  expect(room.take(made("p1", 2), "new")).toBe(false);
  room.end();
  room.begin(false);
  expect(room.take(made("p1", 1), "read")).toBe(true);
  expect(room.take(made("p1", 2), "read")).toBe(true);
  room.end();
  expect(room.take(made("p1", 3), "new")).toBe(true);
});

test("[CALL7] what was set aside takes no other's room", () => {
  const { room, made } = setup();
  const taken = Array.from({ length: MOST }, (_, n) => made("p1", n)).filter((sending) => room.take(sending, "aside"));
  expect(taken).toHaveLength(MOST / 2);
  expect(room.more).toBe(false);
});

test("[CALL7] of many silent partitions each keeps a fair share, and a message that is about to go stays", () => {
  const { room, left, made } = setup();
  for (const [index, partition] of ["p", "q", "r", "s"].entries()) {
    for (let n = 0; n < MOST; n++) {
      const sending = made(`${partition}${n % 50}`, index * MOST + n);
      sending.leaving = n === MOST - 1;
      room.take(sending, "new");
    }
  }
  expect(room.size).toBeLessThanOrEqual(MOST);
  expect(room.take(made("t1", 4 * MOST), "new")).toBe(true);
  expect(left).not.toContain(`p49 ${String(MOST - 1).padStart(16, "0")}`);
  const kept = new Map<string, number>();
  for (const { message } of room.all()) {
    const partition = message.to.id.slice(0, 1);
    kept.set(partition, (kept.get(partition) ?? 0) + 1);
  }
  for (const partition of ["p", "q", "r", "s"]) expect(kept.get(partition)).toBeGreaterThan(MOST / 8);
});
