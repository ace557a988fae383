import { describe, expect, test } from "vitest";
import { checkAccess } from "../../src/access/decide.ts";
import { configSchema } from "../../src/config/config.ts";
import { method } from "../../src/object/method.ts";
import { Registry } from "../../src/object/registry.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { KeptSettings } from "../../src/settings/kept-settings.ts";
import { LiveSettings } from "../../src/settings/live-settings.ts";
import { LogFilter } from "../../src/settings/log-filter.ts";

class Counter extends VirtualObject {
  static override readonly type = "Counter";
  static override readonly access = { anonymous: true };
  static override readonly methods = { add: method() };
  add() {}
}

const registry = new Registry([Counter]);
const config = configSchema.parse({ mailbox: "7" });
const make = (types = registry) => new LiveSettings({ config, given: ["mailbox"], registry: types });
const slow = (version: number) => ({ version, document: { settings: { callTimeout: `${version}s` } } });
const closed = { type: "Counter", access: "INTERNAL" } as const;

function mayCall(live: LiveSettings): boolean {
  try {
    const definition = live.registry.type("Counter");
    checkAccess(live.registry.method(definition, "add").access, { kind: "client" }, "a");
    return true;
  } catch {
    return false;
  }
}

describe("the settings of a process", () => {
  test("[CONF1] go by the newest document, whenever an older one comes", () => {
    const live = make();
    const { config: read } = live;
    expect(live.apply(slow(3))).toEqual({ seen: 3, version: 3 });
    expect(live.apply(slow(2))).toEqual({ seen: 3, version: 3 });
    expect(read.callTimeout).toBe(3_000);
    live.apply({ version: 4, document: {} });
    expect(read).toEqual(config);
  });

  test("[CONF1] stay as they are when a document does not fit, and say why", () => {
    const live = make();
    live.apply(slow(1));
    const bad = { version: 2, document: { settings: { callTimeout: "2s" }, access: [{ ...closed, type: "Countre" }] } };
    expect(live.apply(bad)).toEqual({ seen: 2, version: 1, fault: expect.stringContaining("Countre") });
    expect(live.config.callTimeout).toBe(1_000);
    expect(mayCall(live)).toBe(true);
    expect(live.apply({ version: 3, document: {} })).toEqual({ seen: 3, version: 3 });
  });

  test("[CONF1] rules of a document come before the code's, in this process alone", () => {
    const [one, other] = [make(), make()];
    one.apply({ version: 1, document: { access: [closed] } });
    expect([mayCall(one), mayCall(other)]).toEqual([false, true]);
    one.apply({ version: 2, document: {} });
    expect(mayCall(one)).toBe(true);
  });

  test("[CONF1] every value says where it comes from", () => {
    const live = make();
    live.apply(slow(1));
    const of = (name: string) => live.view().values.find((setting) => setting.name === name);
    expect(of("callTimeout")).toEqual({
      name: "callTimeout",
      variable: "EDGEVERSE_CALL_TIMEOUT",
      value: "1s",
      origin: "document",
      live: true,
    });
    expect(of("mailbox")).toMatchObject({ value: 7, origin: "variable" });
    expect(of("retention")).toMatchObject({ value: "30d", origin: "default", live: false });
  });

  test("tell who listens", () => {
    const live = make();
    let told = 0;
    live.onChange(() => told++);
    live.apply(slow(1));
    live.apply(slow(1));
    expect(told).toBe(1);
  });
});

describe("settings that are kept", () => {
  const keeper = () => {
    const kept = { text: undefined as string | undefined, broken: false };
    const write = (text: string) => {
      if (kept.broken) throw new Error("the disk is full");
      kept.text = text;
    };
    return { kept, keep: { read: () => kept.text, write } };
  };

  test("[CONF1] are those of the process before", () => {
    const { keep } = keeper();
    new KeptSettings(make(), keep).take({ version: 1, document: { access: [closed] } });
    const live = make();
    new KeptSettings(live, keep).restore();
    expect([live.seen, mayCall(live)]).toEqual([1, false]);
  });

  test("[CONF1] what could not be kept does not count, and is taken when it comes again", () => {
    const { kept, keep } = keeper();
    const live = make();
    const settings = new KeptSettings(live, keep);
    kept.broken = true;
    expect(() => settings.take(slow(1))).toThrow("full");
    expect([live.seen, live.config.callTimeout]).toEqual([0, 30_000]);
    kept.broken = false;
    expect(settings.take(slow(1))).toEqual({ seen: 1, version: 1 });
  });

  test("[CONF1] a document that did not fit is tried again by other code", () => {
    const { keep } = keeper();
    const old = new KeptSettings(make(), keep);
    old.take(slow(1));
    old.take({ version: 2, document: { access: [{ ...closed, type: "Later" }] } });
    const same = make();
    new KeptSettings(same, keep).restore();
    expect(same.confirmation).toMatchObject({ seen: 2, version: 1, fault: expect.stringContaining("Later") });
    class Later extends Counter {
      static override readonly type = "Later" as "Counter";
    }
    const newer = make(new Registry([Counter, Later]));
    new KeptSettings(newer, keep).restore();
    expect(newer.confirmation).toEqual({ seen: 2, version: 2 });
  });

  test("[CONF1] rules about a type that is gone are about nothing; rules that can't be read let no client in", () => {
    const gone = { version: 1, document: { access: [closed, { type: "Gone", access: "REJECT" }] } };
    for (const [applied, fault] of [
      [gone, false],
      [{ version: 1, document: { access: [{ kind: "of another release" }], settings: { mailbox: 9 } } }, true],
    ] as const) {
      const live = make();
      new KeptSettings(live, { read: () => JSON.stringify({ applied }), write: () => undefined }).restore();
      expect(mayCall(live)).toBe(false);
      expect(live.confirmation.fault !== undefined).toBe(fault);
      expect(live.config.mailbox).toBe(fault ? 9 : 7);
    }
  });
});

describe("what is logged", () => {
  const written = (log: object, lines: readonly (readonly ["warn" | "error", string])[]) => {
    const live = make();
    live.apply({ version: 1, document: { log } });
    const filter = new LogFilter(live);
    return lines.filter(([level, event]) => filter.admits(level, event)).length;
  };
  const lines = [["warn", "a"] as const, ...Array.from({ length: 100 }, () => ["error", "b"] as const)];

  test("[CONF3] by level", () => {
    expect([{}, { level: "error" }, { level: "off" }].map((log) => written(log, lines))).toEqual([101, 100, 0]);
  });

  test("[CONF3] a share of each event, its first line always", () => {
    expect([0, 0.1, 0.25, 1].map((sampling) => written({ sampling }, lines))).toEqual([2, 11, 26, 101]);
  });
});
