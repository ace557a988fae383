import type { MemoryCallLog } from "../memory-call-log.ts";
import type { Service, SimProcess } from "./sim-process.ts";

/** Postgres as a process: never lost, but slow or away at times. @param delay ms that an answer takes */
export function logService(log: MemoryCallLog, process: SimProcess, delay: () => number): Service {
  const slowly =
    <Args extends unknown[], R>(action: (...args: Args) => Promise<R>) =>
    async (...args: Args) => {
      await new Promise<void>((resolve) => process.clock.after(delay(), resolve));
      return action.apply(log, args);
    };
  return {
    write: slowly(log.write),
    find: slowly(log.find),
    list: slowly(log.list),
    pending: slowly(log.pending),
    read: slowly(log.read),
  };
}
