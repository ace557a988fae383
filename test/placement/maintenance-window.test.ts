import { expect, test } from "vitest";
import { inWindow } from "../../src/placement/maintenance-window.ts";
import type { MaintenanceWindow } from "../../src/placement/plan-types.ts";

/** 2026-11-21 is a Saturday. */
const at = (time: string, windows: readonly MaintenanceWindow[], day = 21) =>
  inWindow(windows, Date.parse(`2026-11-${day}T${time}:00Z`));

test("[MIG7] without windows it is always time", () => {
  expect(at("12:00", [])).toBe(true);
});

test("[MIG7] a window begins with its first minute and ends before its last", () => {
  const windows = [{ from: "02:30", to: "04:15" }];
  const times = ["02:29", "02:30", "03:00", "04:14", "04:15", "12:00"];
  expect(times.map((time) => at(time, windows))).toEqual([false, true, true, true, false, false]);
});

test("[MIG7] one of them is enough", () => {
  const windows = [
    { from: "01:00", to: "02:00" },
    { from: "05:00", to: "06:00" },
  ];
  expect(["01:30", "03:00", "05:30"].map((time) => at(time, windows))).toEqual([true, false, true]);
});

test("[MIG7] one on some days is not there on the others", () => {
  const windows = [{ days: [0, 6], from: "02:00", to: "03:00" }];
  expect([20, 21, 22, 23].map((day) => at("02:00", windows, day))).toEqual([false, true, true, false]);
});

test("[MIG7] one that passes midnight belongs to the day it begins on, also from Saturday to Sunday", () => {
  const windows = [{ days: [6], from: "22:00", to: "04:00" }];
  expect(["21:59", "22:00", "23:59", "00:00", "03:59"].map((time) => at(time, windows))).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
  expect(["00:00", "03:59", "04:00", "22:00"].map((time) => at(time, windows, 22))).toEqual([true, true, false, false]);
});

test("[MIG7] one that ends where it begins is the whole day", () => {
  expect(["00:00", "05:00", "23:59"].map((time) => at(time, [{ from: "05:00", to: "05:00" }]))).toEqual([
    true,
    true,
    true,
  ]);
});
