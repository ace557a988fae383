import { describe, expect, test } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import type { CallMessage, FinalReply } from "../../src/object/message.ts";
import { method } from "../../src/object/method.ts";
import { Registry } from "../../src/object/registry.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { OPEN } from "../../src/push/client-calls.ts";
import { LIVE_WINDOW } from "../../src/push/live-window.ts";
import type { LiveAnswer, LiveWant } from "../../src/router/live-views.ts";
import { settle } from "../../src/testing/clocks.ts";
import { type Frame, GateFixture } from "./gate-fixture.ts";

class Board extends VirtualObject {
  static override readonly type = "Board";
  static override readonly access = { anonymous: true };
  static override readonly live = { anonymous: true };
  static override readonly methods = { look: method({ readonly: true }) };

  look() {}
}

const ANN = { id: "ann", roles: [] };
const look = (id: number) => ({ kind: "call", id, type: "Board", object: "a", method: "look" });
const watch = (id: number) => ({ kind: "watch", id, type: "Board", object: "a" });

/** A gate whose calls a test answers by hand, and whose owners answer nothing, unless the test says what. */
function byHand(charge: (type: string, method?: string) => void = () => undefined) {
  const sent: { message: CallMessage; answer: (reply: FinalReply) => void }[] = [];
  const registry = new Registry([Board]);
  const owner: { answer?: LiveAnswer } = {};
  const watch = (wants: readonly LiveWant[]) =>
    new Promise<LiveAnswer[]>((resolve) => {
      const { answer } = owner;
      if (answer !== undefined) resolve(wants.map(() => answer));
    });
  const fixture = new GateFixture(
    undefined,
    {},
    {
      registry,
      charge: ({ identity, origin }, type, name) => {
        if (identity !== null || origin !== undefined) charge(type, name);
      },
      batch(messages, answered) {
        for (const [index, message] of messages.entries())
          sent.push({ message, answer: (reply) => answered(index, reply) });
        return new Promise(() => undefined);
      },
    },
    { registry, live: { owner: () => "p0", watch: (_, wants) => watch(wants) } },
  );
  return { fixture, sent, owner };
}

describe("the number of a call that was cancelled", () => {
  test("[PUSH8] is free at once, and what becomes of the call is told to nobody", async () => {
    const { fixture, sent } = byHand();
    const { client } = await fixture.connect();
    await client.say(look(1));
    await fixture.clock.advance(0);
    expect(await client.say([{ kind: "cancel", id: 1 }, look(1)])).toEqual([]);
    await fixture.clock.advance(0);
    sent[0]?.answer({ kind: "response", response: "1" });
    await settle();
    expect(client.wire.take()).toEqual([]);
    sent[1]?.answer({ kind: "response", response: "2" });
    await settle();
    expect(client.wire.take()).toEqual([{ kind: "result", id: 1, response: 2 }]);
    expect(fixture.gate.stats.calls).toEqual({ open: 0, bytes: 0 });
  });

  test("[PUSH9] the call counts among the open ones as long as it runs", async () => {
    const { fixture } = byHand();
    const { client } = await fixture.connect();
    for (let id = 0; id < OPEN.calls; id++) {
      await client.say([look(1)]);
      await fixture.clock.advance(0);
      await client.say([{ kind: "cancel", id: 1 }]);
    }
    expect(await client.say(look(1))).toMatchObject([{ kind: "result", error: { code: "OVERLOADED" } }]);
  });
});

describe("the number of a check", () => {
  test("[PUSH9] of results is not given out again after the gate has slept", async () => {
    const { fixture, sent } = byHand();
    const { client } = await fixture.connect();
    const big: FinalReply = { kind: "response", response: JSON.stringify("x".repeat(300_000)) };
    const check = async (id: number) => {
      await client.say(look(id));
      await fixture.clock.advance(0);
      sent.at(-1)?.answer(big);
      await settle();
      return client.wire.take().find(({ kind }) => kind === "check") as Frame;
    };
    const first = await check(1);
    await fixture.clock.advance(1);
    fixture.restart("kept");
    const second = await check(2);
    expect(fixture.gate.stats.calls.bytes).toBeGreaterThan(300_000);
    await client.say(first);
    expect(fixture.gate.stats.calls.bytes).toBeGreaterThan(300_000);
    await client.say(second);
    expect(fixture.gate.stats.calls.bytes).toBe(0);
  });

  test("[PUSH11] of live state neither: a late answer makes no room for more", async () => {
    const { fixture, owner } = byHand();
    const { client } = await fixture.connect();
    await client.say(watch(1));
    let version = 0;
    const fill = async () => {
      let taken = 0;
      for (let change = 0; change < LIVE_WINDOW.frames * 2; change++) {
        const at = [1, 1, ++version] as const;
        fixture.gate.live.changed("p0", [{ type: "Board", id: "a", kind: "state", at, version, state: `${version}` }]);
        await settle();
        await fixture.clock.advance(0); // A gate that has slept asks the owner.
      }
      const frames = client.wire.take();
      taken += frames.filter(({ kind }) => kind === "state").length;
      return { taken, check: frames.find(({ kind }) => kind === "check") as Frame };
    };
    const first = await fill();
    expect(first.taken).toBe(LIVE_WINDOW.frames);
    await fixture.clock.advance(1);
    fixture.restart("kept");
    owner.answer = { kind: "state", at: [1, 1, version], version, state: `${version}` };
    expect((await fill()).taken).toBe(LIVE_WINDOW.frames);
    await client.say(first.check);
    expect((await fill()).taken).toBe(0);
  });
});

test("[LIM4] to watch costs a client that is known what looking at something costs", async () => {
  const asked: unknown[] = [];
  const { fixture } = byHand((...what) => {
    asked.push(what);
    if (asked.length > 1) throw new EdgeverseError("RATE_LIMITED", "enough", { retryAfter: 3 });
  });
  const { client } = await fixture.connect({}, ANN);
  expect(await client.say(watch(1))).toEqual([]);
  expect(await client.say(watch(2))).toMatchObject([
    { kind: "result", id: 2, error: { code: "RATE_LIMITED", retryable: true, retryAfter: 3 } },
  ]);
  expect(asked).toEqual([
    ["Board", undefined],
    ["Board", undefined],
  ]);
  const { client: nobody } = await fixture.connect();
  await nobody.say(watch(1));
  expect(asked).toHaveLength(2);
});
