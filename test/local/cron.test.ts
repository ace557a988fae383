import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { checkCron, startCron } from "../../local/cron.ts";

// A Friday.
const at = (time: string): Date => new Date(`2026-11-20T${time}Z`);

test.each([
  ["* * * *", "five"],
  ["* * * * * *", "5 parts"],
  ["60 * * * *", "minute: 60"],
  ["* * * * 0", "dayOfWeek"],
  ["9-5 * * * *", "larger"],
  ["", "five"],
])("%j is refused, and named", (expression, message) => {
  expect(() => checkCron(expression)).toThrow(`Cannot read cron "${expression}"`);
  expect(() => checkCron(expression)).toThrow(message);
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

  test.each([
    ["*/15 * * * *", ["10:15", "10:30", "10:45", "11:00"]],
    ["5/20 10 * * *", ["10:05", "10:25", "10:45"]],
    ["0-10/5,30 10 * * *", ["10:05", "10:10", "10:30"]],
    // Cloudflare's Friday, and Unix's.
    ["59 10 * * 6", ["10:59"]],
    ["59 10 * * 5", []],
    ["1 11 * nov MON-FRI", ["11:01"]],
    // Both days restricted: either is enough.
    ["40 10 1 * FRI", ["10:40"]],
    ["40 10 20 * MON", ["10:40"]],
    ["40 10 1 * MON", []],
    ["40 10 * * 6#3", ["10:40"]],
    ["40 10 L * *", []],
  ])("reads %s as Cloudflare does", async (expression, times) => {
    const fired: string[] = [];
    const fire = async (_: string, time: number) => void fired.push(new Date(time).toISOString().slice(11, 16));
    const cron = startCron({ expressions: [expression], fire, log });
    await vi.advanceTimersByTimeAsync(61 * 60_000);
    cron.stop();
    expect(fired).toEqual(times);
  });

  test("makes up for what the machine slept through by one run", async () => {
    const fire = vi.fn(() => Promise.resolve());
    const cron = startCron({ expressions: ["*/10 * * * *"], fire, log });
    vi.setSystemTime(at("14:25:10"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fire.mock.calls).toEqual([["*/10 * * * *", at("14:25:00").getTime()]]);
    cron.stop();
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
