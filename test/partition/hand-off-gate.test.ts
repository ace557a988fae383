import { beforeEach, describe, expect, test } from "vitest";
import { placementOf } from "../../src/identity/object-id.ts";
import type { CallMessage, Reply } from "../../src/object/message.ts";
import { HandOffGate } from "../../src/partition/moves/hand-off-gate.ts";
import type { Gated } from "../../src/partition/storage/ownership.ts";
import { Deadlines } from "../../src/partition/turns/deadlines.ts";
import { OWNER, ShardEnd } from "./shard-fixture.ts";

const REPLY: Reply = { kind: "response", response: "1" };
let sent: number;
beforeEach(() => {
  sent = 0;
});
const again = () => {
  sent++;
  return Promise.resolve(REPLY);
};

/** The closed gate of a partition's shard, where `most` calls may wait. */
function setup(most = 9) {
  const end = new ShardEnd(OWNER);
  const { clock, ownership } = end;
  const deadlines = new Deadlines(clock);
  const gate = new HandOffGate({
    deadlines,
    config: { partitionMailbox: most },
    inside: (keys) => ownership.anyGated(keys),
  });
  ownership.closeGate(0);
  const gated = ownership.locate(placementOf("a"), clock.now()) as Gated;
  const message = (timeout = 1_000): CallMessage => ({
    type: "Lot",
    id: "a",
    method: "add",
    deadline: clock.now() + timeout,
    requestId: "r",
    caller: { kind: "client" },
  });
  return { clock, ownership, deadlines, gate, gated, message };
}

describe("a call at the gate of a shard that moves", () => {
  test("[MIG1] is sent again when the gate opens, and leaves nothing behind", async () => {
    const { gate, gated, message, ownership, deadlines } = setup();
    const reply = gate.wait(gated, message(), again);
    expect([gate.waiting, deadlines.size, sent]).toEqual([1, 1, 0]);
    ownership.release(0);
    expect(await reply).toEqual(REPLY);
    expect([gate.waiting, deadlines.size, sent]).toEqual([0, 0, 1]);
  });

  test("[MIG1] goes where the shard has gone when that is known", async () => {
    const { gate, gated, message, ownership } = setup();
    const reply = gate.wait(gated, message(), again);
    const moved = ownership.moved(0);
    ownership.release(0, moved);
    expect(await reply).toBe(moved);
    expect(sent).toBe(0);
  });

  test("[MIG1] [TURN6] ends at its deadline, and has changed nothing", async () => {
    const { clock, gate, gated, message, ownership } = setup();
    let atGate = 0;
    const counted: Gated = {
      ...gated,
      wait(callback) {
        const leave = gated.wait(callback);
        atGate++;
        return () => {
          atGate--;
          leave();
        };
      },
    };
    const plain = gate.wait(counted, message(50), again);
    const reliable = { callId: "c" } as NonNullable<CallMessage["reliable"]>;
    const known = gate.wait(counted, { ...message(50), reliable }, again);
    await clock.advance(49);
    expect([gate.waiting, atGate]).toEqual([2, 2]);
    await clock.advance(1);
    expect([gate.waiting, atGate]).toEqual([0, 0]);
    expect(await plain).toMatchObject({
      error: { code: "DEADLINE_EXCEEDED", message: expect.stringContaining("shard 0") },
    });
    // A reliable call may have been taken before, under the same id.
    expect(await known).toMatchObject({
      error: { code: "DEADLINE_EXCEEDED", details: { callId: "c", status: "unknown" } },
    });
    ownership.release(0);
    await clock.advance(10);
    expect(sent).toBe(0);
  });

  test("[TURN8] is refused when too many wait", async () => {
    const { gate, gated, message, ownership } = setup(2);
    const waiting = [1, 2].map(() => gate.wait(gated, message(), again));
    const refused = { error: { code: "OVERLOADED", retryAfter: 1 } };
    expect(await gate.wait(gated, message(), again)).toMatchObject(refused);
    expect([gate.waiting, sent]).toEqual([2, 0]);
    ownership.release(0);
    await Promise.all(waiting);
    expect([gate.waiting, sent]).toEqual([0, 2]);
  });

  test("[MIG1] is sent again when its core has ended, once that end is through; later ones do not wait", async () => {
    const { gate, gated, message } = setup();
    const waiting = [1, 2].map(() => gate.wait(gated, message(), again));
    gate.stop();
    expect(sent).toBe(0);
    expect(await Promise.all(waiting)).toEqual([REPLY, REPLY]);
    expect([gate.waiting, sent]).toEqual([0, 2]);
    const late = gate.wait(gated, message(), again);
    expect([gate.waiting, sent]).toEqual([0, 3]);
    expect(await late).toEqual(REPLY);
  });

  test("[MIG1] is let in if a turn waits for it that the hand-off waits for", () => {
    const { gate, gated } = setup();
    const link = (key: string) => ({ key, turn: "t", readonly: false });
    const message = (chain?: CallMessage["chain"]) => ({ ...(chain === undefined ? {} : { chain }) }) as CallMessage;
    expect(gate.admit(gated, message())).toBe(gated);
    expect(gate.admit(gated, message([]))).toBe(gated);
    expect(gate.admit(gated, message([link(`T/partition#${OWNER}/x`)]))).toBe(gated);
    expect(gate.admit(gated, message([link(`T/partition#${OWNER}/x`), link("T/b")]))).toBe(gated.owned);
    // Nobody is let in where the shard is not served yet.
    const ready: Gated = { ...gated, owned: undefined };
    expect(gate.admit(ready, message([link("T/b")]))).toBe(ready);
  });
});
