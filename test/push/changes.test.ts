import { describe, expect, test } from "vitest";
import { checkIdentity } from "../../src/access/identity.ts";
import { configSchema } from "../../src/config/config.ts";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { Registry } from "../../src/object/registry.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { pause } from "../../src/platform/pause.ts";
import type { LiveAnswer, LiveWant } from "../../src/router/live-views.ts";
import { LiveSettings } from "../../src/settings/live-settings.ts";
import { CLOSE, GateFixture } from "./gate-fixture.ts";

class Board extends VirtualObject {
  static override readonly type = "Board";
  static override readonly live = { roles: ["staff"] };
}

const person = (...roles: string[]) => checkIdentity({ id: "ann", roles });
const RULES = { connect: {}, topics: {} };
const WATCH = { kind: "watch", id: 1, type: "Board", object: "a" };

/** A gate whose clients watch boards, of which every owner says the same. */
async function watching(answer: LiveAnswer, takes = 0) {
  const config = configSchema.parse({});
  const settings = new LiveSettings({ config, registry: new Registry([Board]) });
  const asked = { times: 0 };
  const live = {
    owner: () => "p0",
    watch: async (_: string, wants: readonly LiveWant[]) => {
      asked.times += wants.length;
      if (takes > 0) await pause(fixture.clock, takes);
      return wants.map(() => answer);
    },
  };
  const fixture = new GateFixture(RULES, {}, undefined, { settings, registry: settings.registry, live });
  const { client } = await fixture.connect({}, person("staff"));
  await client.say(WATCH);
  const tell = async (n: number) => {
    const at = [1, 1, n] as const;
    await fixture.gate.live.changed("p0", [{ type: "Board", id: "a", kind: "state", at, version: n, state: `${n}` }]);
    await fixture.clock.advance(1);
    return client.wire.take();
  };
  return { fixture, client, asked, tell };
}

const STATE: LiveAnswer = { kind: "state", at: [1, 1, 1], version: 1, state: "1" };
const ENDED = { kind: "result", id: 1, error: expect.objectContaining({ code: "ACCESS_DENIED" }) };

describe("what counts from now on", () => {
  test("[PUSH10] [PUSH11] a token without the role ends what its client may not watch any more, at once", async () => {
    const { fixture, client, tell } = await watching(STATE);
    expect(await tell(2)).toMatchObject([{ kind: "state", version: 2 }]);
    fixture.identify = () => person();
    expect(await client.say({ kind: "token", token: "fresh" })).toEqual([ENDED, { kind: "renewed" }]);
    expect(await tell(3)).toEqual([]);
  });

  test("[CONF4] [PUSH11] a rule of the settings ends it as soon as they come", async () => {
    const { fixture, client, tell } = await watching(STATE);
    const access = [{ type: "Board", method: "#watch", access: "INTERNAL" as const }];
    await fixture.gate.settings.take({ version: 1, document: { access } });
    await fixture.clock.advance(1);
    expect(client.wire.take()).toContainEqual(expect.objectContaining({ kind: "result", id: 1 }));
    expect(await tell(2)).toEqual([]);
  });

  test("[CONF4] [PUSH9] another clientFrames counts for connections that are open", async () => {
    const fixture = new GateFixture();
    const { client } = await fixture.connect();
    await client.say({ kind: "subscribe", topic: "a" });
    Object.assign(fixture.config, { clientFrames: 1 });
    for (let frame = 0; frame < 10; frame++) await client.say({ kind: "subscribe", topic: "a" });
    expect(client.wire.closed).toBe(CLOSE.refused);
  });
});

describe("an owner that can't be reached", () => {
  test("[PUSH11] is asked no more often the longer it is away", async () => {
    const error = new EdgeverseError("UNAVAILABLE", "away").toWire();
    const { fixture, client, asked } = await watching({ kind: "refused", error }, 7_001);
    const during = async () => {
      const before = asked.times;
      for (let minutes = 0; minutes < 20; minutes += 2) {
        await fixture.pass(60_000);
        client.wire.heardAt = fixture.clock.now();
        await fixture.pass(60_000);
      }
      return asked.times - before;
    };
    const first = await during();
    for (let hour = 0; hour < 3; hour++) await during();
    expect(await during()).toBeLessThanOrEqual(first);
  });
});

test("[PUSH10] a token that fits into no header is no frame that can be read", async () => {
  const fixture = new GateFixture();
  const { client } = await fixture.connect({}, person());
  const [frame] = await client.say({ kind: "token", token: "s3cret\n" });
  expect(frame).toMatchObject({ kind: "error", error: { code: "INVALID_ARGUMENT" } });
  expect(JSON.stringify(frame)).not.toContain("s3cret");
  expect(client.wire.closed).toBe(CLOSE.refused);
});
