import { AsyncLocalStorage } from "node:async_hooks";
import type { AsyncScope, Clock, Random } from "../src/platform/ports.ts";

export const clock: Clock = {
  now: () => Date.now(),
  after(delay, action) {
    const timer = setTimeout(action, delay);
    return () => clearTimeout(timer);
  },
};

export const random: Random = { uuid: () => crypto.randomUUID() };

export function asyncScope<T>(): AsyncScope<T> {
  const storage = new AsyncLocalStorage<T>();
  return { run: (value, action) => storage.run(value, action), get: () => storage.getStore() };
}
