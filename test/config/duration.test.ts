import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDuration } from "../../src/config/duration.ts";

describe("durations", () => {
  test.each([
    ["250ms", 250],
    ["0ms", 0],
    ["30s", 30_000],
    ["5m", 300_000],
    ["12h", 43_200_000],
    ["30d", 2_592_000_000],
    ["007s", 7_000],
    ["36500d", 36_500 * 86_400_000],
  ])("[CONF1] %s is %i ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    "",
    "s",
    "30",
    "30 s",
    " 30s",
    "30s ",
    "30s\n",
    "-1s",
    "+1s",
    "1.5s",
    "1e3ms",
    "0x10s",
    "30S",
    "1M",
    "1w",
    "1y",
    "1h30m",
    "30sec",
    "٣s",
    "∞",
    "NaNs",
    "36501d",
    `${"9".repeat(13)}ms`,
    "999999999999d",
  ])("[CONF1] %j is no duration", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test("[CONF1] every unit multiplies exactly, and nothing but digits and a unit is taken", () => {
    const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    fc.assert(
      fc.property(fc.nat(36_500), fc.constantFrom("ms", "s", "m", "h", "d"), (count, unit) => {
        expect(parseDuration(`${count}${unit}`)).toBe(count * units[unit as keyof typeof units]);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (!/^\d+(ms|s|m|h|d)$/.test(text)) expect(parseDuration(text)).toBeUndefined();
      }),
    );
  });
});
