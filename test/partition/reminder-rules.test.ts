import { describe, expect, test } from "vitest";
import { checkReminderName, checkReminderTime, type ReminderTime } from "../../src/object/reminder.ts";
import { advance, ruleOf } from "../../src/partition/reminders/rule.ts";

const NOW = Date.UTC(2026, 2, 27, 12);

/** The next due times as UTC. */
function times(time: ReminderTime, now: number, count: number): string[] {
  const found: string[] = [];
  let { rule, due } = ruleOf(time, now, 0);
  for (let next: number | undefined = due; next !== undefined && found.length < count; due = next) {
    found.push(new Date(next).toISOString().slice(0, 16));
    next = advance(rule, next, next).next;
    if (next === undefined) break;
  }
  return found;
}

describe("[TIME3] cron in a time zone", () => {
  test("a time that is left out in spring comes right after the gap, once", () => {
    expect(times({ cron: "30 2 * * *", timeZone: "Europe/Berlin" }, NOW, 3)).toEqual([
      "2026-03-28T01:30",
      "2026-03-29T01:00",
      "2026-03-30T00:30",
    ]);
  });

  test("a time that comes twice in autumn is due the first time alone", () => {
    expect(times({ cron: "30 2 * * *", timeZone: "Europe/Berlin" }, Date.UTC(2026, 9, 23, 12), 3)).toEqual([
      "2026-10-24T00:30",
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
  });

  test("a time that comes twice in autumn is due both times by an expression with several times of a day", () => {
    expect(times({ cron: "0 2,5 * * *", timeZone: "Europe/Berlin" }, Date.UTC(2026, 9, 24, 12), 3)).toEqual([
      "2026-10-25T00:00",
      "2026-10-25T01:00",
      "2026-10-25T04:00",
    ]);
  });

  test("every hour is every hour, in spring and in autumn", () => {
    const hourly = { cron: "0 * * * *", timeZone: "Europe/Berlin" };
    expect(times(hourly, Date.UTC(2026, 2, 28, 23, 30), 4).map((time) => time.slice(11))).toEqual([
      "00:00",
      "01:00",
      "02:00",
      "03:00",
    ]);
    expect(times(hourly, Date.UTC(2026, 9, 24, 23, 30), 4).map((time) => time.slice(11))).toEqual([
      "00:00",
      "01:00",
      "02:00",
      "03:00",
    ]);
  });

  test("office hours follow the clock on the wall, also across half an hour and the date line", () => {
    const office = "0 9 * * 1-5";
    expect(times({ cron: office, timeZone: "America/New_York" }, Date.UTC(2026, 2, 6, 12), 2)).toEqual([
      "2026-03-06T14:00",
      "2026-03-09T13:00",
    ]);
    expect(times({ cron: office, timeZone: "Australia/Lord_Howe" }, Date.UTC(2026, 3, 2, 12), 2)).toEqual([
      "2026-04-02T22:00",
      "2026-04-05T22:30",
    ]);
    expect(times({ cron: office }, NOW, 2)).toEqual(["2026-03-30T09:00", "2026-03-31T09:00"]);
  });

  test("six fields have seconds", () => {
    const { rule, due } = ruleOf({ cron: "*/15 * * * * *" }, NOW, 0);
    expect([due - NOW, advance(rule, due, due).next]).toEqual([15_000, NOW + 30_000]);
  });
});

test("[TIME4] what was missed is counted, for cron to ten", () => {
  const every = ruleOf({ every: 1_000 }, NOW, 0);
  expect(advance(every.rule, every.due, every.due + 5_999)).toEqual({ missed: 5, next: every.due + 6_000 });
  const cron = ruleOf({ cron: "* * * * *" }, NOW, 0);
  expect(advance(cron.rule, cron.due, cron.due + 9 * 60_000)).toEqual({ missed: 9, next: cron.due + 600_000 });
  const year = cron.due + 365 * 86_400_000;
  expect(advance(cron.rule, cron.due, year)).toEqual({ missed: 10, next: year + 60_000 });
});

test("[TIME3] jitter makes every due time late by the same part of it", () => {
  for (const time of [{ every: 10_000 }, { cron: "*/10 * * * * *" }, { after: 10_000 }, { at: NOW + 10_000 }]) {
    const { rule, due } = ruleOf({ ...time, jitter: 4_000 } as ReminderTime, NOW, 0.5);
    expect(due).toBe(NOW + 12_000);
    const { missed, next } = advance(rule, due, due + 20_000);
    expect([missed, next]).toEqual(rule.kind === "once" ? [0, undefined] : [2, NOW + 42_000]);
  }
});

test.each([
  [{ cron: "bad" }, "exactly five"],
  [{ cron: "61 * * * *" }, "minute"],
  [{ cron: "0 0 30 2 *" }, "never due"],
  [{ cron: "2026-01-01T00:00:00" }, "five fields"],
  [{ cron: "0 0 0 1 1 * 2300" }, "five fields"],
  [{ cron: "0 0 * * *", timeZone: "Mars/Base" }, '"0 0 * * *": there is no time zone "Mars/Base": it'],
] as [ReminderTime, string][])("[TIME3] %j is refused", (time, reason) => {
  expect(() => ruleOf(time, NOW, 0)).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining(reason) }),
  );
});

test.each([
  [{}, "one of"],
  [{ at: NOW, every: 1_000 }, "one of"],
  [{ every: 999 }, "every"],
  [{ after: -1 }, "after"],
  [{ after: Number.NaN }, "after"],
  [{ at: "tomorrow" }, "at"],
  [{ at: NOW + 200 * 366 * 86_400_000 }, "at"],
  [{ after: 1, jitter: -1 }, "jitter"],
  [{ after: 1, jitter: 367 * 86_400_000 }, "jitter"],
  [{ every: 60_000, jitter: 60_001 }, "jitter"],
  [{ at: NOW + 100 * 366 * 86_400_000, jitter: 1 }, "at"],
  [{ after: 1, timeZone: "UTC" }, "without cron"],
  [{ cron: 5 }, "cron"],
  [{ cron: "0 0 * * *", timeZone: 5 }, "timeZone"],
])("[TIME3] %j is refused", (time, reason) => {
  expect(() => checkReminderTime(time as unknown as ReminderTime, NOW)).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining(reason) }),
  );
});

test("[TIME2] a name has 1 to 100 visible characters", () => {
  for (const name of ["a", "close/auction:7", "schließen", "😀", "x".repeat(100)]) checkReminderName(name);
  for (const name of ["", "a b", "a\n", "\ud800", "x".repeat(101)])
    expect(() => checkReminderName(name)).toThrow("name");
});
