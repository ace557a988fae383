import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { configSchema } from "../../src/config/config.ts";
import { durationText, parseDuration } from "../../src/config/duration.ts";
import { changesBetween, shortened } from "../../src/settings/changes.ts";
import { MAX_DOCUMENT, readDocument, withDocument } from "../../src/settings/document.ts";
import { FIXED, LIVE_KEYS } from "../../src/settings/live-keys.ts";

const BASE = configSchema.parse({ mailbox: "7" });

function issues(given: unknown): string[] {
  const read = readDocument(given);
  return "issues" in read ? read.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) : [];
}

describe("a document", () => {
  test("[CONF1] each live setting takes its default, as a variable writes it, and every other name says why not", () => {
    const written = (key: string) => {
      const value = configSchema.parse({})[key as "mailbox"];
      if (key === "placement" || typeof value !== "number") return value;
      return configSchema.shape[key as "mailbox"].safeParse(value).success ? value : durationText(value);
    };
    const settings = Object.fromEntries(LIVE_KEYS.map((key) => [key, written(key)]));
    expect(issues({ settings })).toEqual([]);
    expect(withDocument(BASE, { settings })).toEqual(configSchema.parse({}));
    for (const [key, why] of Object.entries(FIXED)) expect(issues({ settings: { [key]: 1 } })[0]).toContain(why);
    expect(issues({ settings: { callTimeuot: "1s" } })[0]).toContain('did you mean "callTimeout"?');
  });

  test("[CONF1] what the document does not name stays", () => {
    const config = withDocument(BASE, { settings: { callTimeout: "2m" } });
    expect(config).toEqual({ ...BASE, callTimeout: 120_000 });
  });

  test.each([
    [{ setings: {} }, "setings"],
    [{ settings: { callTimeout: 5 } }, "callTimeout"],
    [{ settings: { callTimeout: "soon" } }, "must be a duration"],
    [{ settings: { mailbox: "5" } }, "mailbox"],
    [{ settings: { mailbox: 0 } }, "mailbox"],
    [{ settings: { mailbox: null } }, "mailbox"],
    [{ settings: { rebalance: "often" } }, "rebalance"],
    [{ settings: { placement: "{}" } }, "placement"],
    [{ settings: JSON.parse('{"__proto__": 1}') }, "__proto__"],
    [{ log: { level: "loud" } }, "log.level"],
    [{ log: { sampling: 2 } }, "log.sampling"],
    [{ access: [{ type: "A", access: "MAYBE" }] }, "access.0.access"],
    [{ access: [{ type: "A", access: "REJECT", roles: ["x"] }] }, "it lets no client in, and names some"],
    [{ access: [{ type: "x".repeat(513), access: "ALLOW" }] }, "access.0.type"],
    [{ limits: { calls: { per: "object", rate: 0 } } }, "limits.calls.rate"],
    [[], ""],
    ["{}", ""],
    [null, ""],
  ])("[CONF1] %j is refused", (given, part) => {
    expect(issues(given).join("\n")).toContain(part);
    expect(issues(given)).not.toEqual([]);
  });

  test("[CONF1] a document is bounded", () => {
    const access = Array.from({ length: 400 }, (_, n) => ({
      type: "A",
      id: `${n}-${"x".repeat(400)}`,
      access: "ALLOW",
    }));
    expect(issues({ access })[0]).toContain(`over ${MAX_DOCUMENT}`);
    expect(issues({ access: access.slice(0, 200) })).toEqual([]);
    expect(issues({ access: Array.from({ length: 1_001 }, () => ({ type: "A", access: "ALLOW" })) })).not.toEqual([]);
  });

  test("nothing that is given makes it throw", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void readDocument(value)));
    fc.assert(
      fc.property(fc.jsonValue(), (settings) => void readDocument({ settings, log: settings, access: settings })),
    );
  });
});

test("a duration's text is that duration", () => {
  fc.assert(fc.property(fc.nat(100 * 365 * 86_400), (ms) => parseDuration(durationText(ms)) === ms));
  expect([0, 250, 30_000, 90_000, 3_600_000].map(durationText)).toEqual(["0ms", "250ms", "30s", "90s", "1h"]);
});

describe("changes", () => {
  test("name each place that differs", () => {
    const from = { settings: { callTimeout: "1s", mailbox: 5 }, access: [{ type: "A" }, { type: "B" }] };
    const to = { settings: { callTimeout: "2s" }, access: [{ type: "A" }], log: { level: "off" } };
    expect(changesBetween(from, to)).toEqual([
      { path: "/settings/callTimeout", from: "1s", to: "2s" },
      { path: "/settings/mailbox", from: 5 },
      { path: "/access/1", from: { type: "B" } },
      { path: "/log", to: { level: "off" } },
    ]);
  });

  test("are none only between equal values, and name every place once", () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(json, json, (from, to) => {
        const paths = changesBetween(from, to).map(({ path }) => path);
        expect(new Set(paths).size).toBe(paths.length);
        if (paths.length === 0) expect(to).toEqual(from);
      }),
    );
  });

  test("are cut at a bound, with the number of those that are left out", () => {
    const changes = Array.from({ length: 10 }, (_, n) => ({ path: `/a/${n}`, from: "x".repeat(50), to: "y" }));
    const cut = shortened(changes, 200);
    expect(JSON.stringify(cut.changes).length).toBeLessThan(220);
    expect(cut.changes.length + (cut.more ?? 0)).toBe(10);
    expect(shortened(changes, 10_000)).toEqual({ changes });
  });
});
