import { describe, expect, test, vi } from "vitest";
import { clock, oneTimer } from "../../durable/platform.ts";

describe("one timer for all who wait", () => {
  test("10,000 wait with one timer, and each is called once, in order of time, those cancelled not at all", () => {
    vi.useFakeTimers();
    try {
      const shared = oneTimer(clock);
      const called: number[] = [];
      const cancels = Array.from({ length: 10_000 }, (_, n) =>
        shared.after(30_000 - n, () => {
          called.push(n);
        }),
      );
      expect(vi.getTimerCount()).toBe(1);
      for (let n = 0; n < 10_000; n += 2) cancels[n]?.();
      vi.advanceTimersByTime(25_000);
      expect(called).toEqual(Array.from({ length: 2_500 }, (_, n) => 9_999 - 2 * n));
      vi.advanceTimersByTime(5_000);
      expect(called).toHaveLength(5_000);
      expect(called.at(-1)).toBe(1);
      vi.advanceTimersByTime(1_000);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
