import type { Clock } from "./ports.ts";

/** Resolves `ms` later. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
