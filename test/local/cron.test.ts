import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startCron } from "../../local/cron.ts";
import { matches } from "../../local/cron-expression.ts";

// 2026-11-20 is a Friday.
const at = (time: string): Date => new Date(`2026-11-20T${time}Z`);

describe("matches", () => {
  test.each([
    ["* * * * *", "23:37:00", true],
    ["37 * * * *", "23:37:59", true],
    ["38 * * * *", "23:37:00", false],
    ["23 3 * * *", "03:23:00", true],
    ["23 3 * * *", "04:23:00", false],
    ["*/15 * * * *", "10:45:00", true],
    ["*/15 * * * *", "10:46:00", false],
    ["5/10 * * * *", "10:25:00", true],
    ["5/10 * * * *", "10:20:00", false],
    ["0-10/5,30 * * * *", "10:10:00", true],
    ["0-10/5,30 * * * *", "10:30:00", true],
    ["0-10/5,30 * * * *", "10:15:00", false],
    ["* 9-17 * * MON-FRI", "09:00:00", true],
    ["* 9-17 * * mon-fri", "18:00:00", false],
    ["* * * * 6", "00:00:00", true], // Cloudflare's Friday
    ["* * * * 5", "00:00:00", false], // Unix' Friday
    ["* * * nov *", "00:00:00", true],
    ["* * 1 * FRI", "00:00:00", true], // both days restricted: either is enough
    ["* * 20 * MON", "00:00:00", true],
    ["* * 1 * MON", "00:00:00", false],
  ])("%s at %s: %s", (expression, time, expected) => {
    expect(matches(expression, at(time))).toBe(expected);
  });

  test.each([
    ["* * * *", "4 fields"],
    ["60 * * * *", '"60" is not a minute'],
    ["* 24 * * *", '"24" is not a hour'],
    ["* * 0 * *", '"0" is not a day of month'],
    ["* * * 13 *", '"13" is not a month'],
    ["* * * * 0", '"0" is not a day of week'],
    ["*/0 * * * *", '"*/0" is not a minute'],
    ["9-5 * * * *", '"9-5" is not a minute'],
    ["5, * * * *", '"" is not a minute'],
    ["* * L * *", '"L" is not a day of month'],
  ])("%s is refused", (expression, message) => {
    expect(() => matches(expression, at("00:00:00"))).toThrow(message);
  });
});

describe("startCron", () => {
  const logged: string[] = [];
  const log = (message: string): void => void logged.push(message);
  beforeEach(() => {
    logged.length = 0;
    vi.useFakeTimers({ now: at("10:00:30") });
  });
  afterEach(() => void vi.useRealTimers());

  test("fires what is due at the start of each minute", async () => {
    const fired: string[] = [];
    const fire = async (expression: string, time: number) =>
      void fired.push(`${expression} ${new Date(time).toISOString().slice(11)}`);
    const cron = startCron({ expressions: ["* * * * *", "2 10 * * *"], fire, log });
    await vi.advanceTimersByTimeAsync(29_000);
    expect(fired).toEqual([]);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(fired).toEqual(["* * * * * 10:01:00.000Z", "* * * * * 10:02:00.000Z", "2 10 * * * 10:02:00.000Z"]);
    cron.stop();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(fired).toHaveLength(3);
  });

  test("never runs a cron beside itself, and another beside it", async () => {
    const end = Promise.withResolvers<void>();
    const fire = vi.fn((expression: string) => (expression === "* * * * *" ? end.promise : Promise.resolve()));
    const cron = startCron({ expressions: ["* * * * *", "*/1 * * * *"], fire, log });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(fire.mock.calls.map(([expression]) => expression)).toEqual(["* * * * *", "*/1 * * * *", "*/1 * * * *"]);
    expect(logged).toEqual(['cron "* * * * *" skipped: its last run has not ended']);
    end.resolve();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fire).toHaveBeenCalledTimes(5);
    cron.stop();
  });

  test("logs a failure and goes on", async () => {
    const fire = vi.fn(() => Promise.reject(new Error("no database")));
    const cron = startCron({ expressions: ["* * * * *"], fire, log });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(logged).toEqual(Array(2).fill('cron "* * * * *" failed: no database'));
    cron.stop();
  });
});
