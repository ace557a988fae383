import type { MaintenanceWindow } from "./plan-types.ts";

const MINUTES = 24 * 60;

/** Whether `now` (ms since the epoch) is in one of the windows; always, when there are none. A day is that of the start. */
export function inWindow(windows: readonly MaintenanceWindow[], now: number): boolean {
  if (windows.length === 0) return true;
  const date = new Date(now);
  const minute = date.getUTCHours() * 60 + date.getUTCMinutes();
  const day = date.getUTCDay();
  return windows.some(({ days, from, to }) => {
    const [start, end] = [minuteOf(from), minuteOf(to)];
    const on = (weekday: number) => days === undefined || days.includes(weekday);
    if (start < end) return on(day) && minute >= start && minute < end;
    return (on(day) && minute >= start) || (on((day + 6) % 7) && minute < end);
  });
}

function minuteOf(text: string): number {
  const [hours, minutes] = text.split(":").map(Number);
  return ((hours ?? 0) * 60 + (minutes ?? 0)) % MINUTES;
}
