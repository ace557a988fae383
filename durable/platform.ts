import { AsyncLocalStorage } from "node:async_hooks";
import { Deadlines } from "../src/partition/turns/deadlines.ts";
import type { AsyncScope, Clock, Random } from "../src/platform/ports.ts";

export const clock: Clock = {
  now: () => Date.now(),
  after(delay, action) {
    const timer = setTimeout(action, delay);
    return () => clearTimeout(timer);
  },
  soon(action) {
    setTimeout(action, 0);
  },
};

/**
 * The clock inside a Durable Object. A timer takes a millisecond at least; waiting for the storage to have nothing left to
 * write takes one turn of the event loop, in which the calls that have arrived get in.
 */
export function durableClock(storage: DurableObjectStorage): Clock {
  return {
    ...clock,
    soon(action) {
      storage.sync().then(action, action);
    },
  };
}

/** A clock that has one timer, however many wait for it: a process of workerd has 10,000 at most. */
export function oneTimer(clock: Clock): Clock {
  const deadlines = new Deadlines(clock);
  return { ...clock, after: (delay, action) => deadlines.add(clock.now() + delay, action) };
}

export const random: Random = { uuid: () => crypto.randomUUID() };

export function asyncScope<T>(): AsyncScope<T> {
  const storage = new AsyncLocalStorage<T>();
  return { run: (value, action) => storage.run(value, action), get: () => storage.getStore() };
}
