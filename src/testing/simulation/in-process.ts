import { AsyncLocalStorage } from "node:async_hooks";
import type { Turn } from "../../partition/turns/turn.ts";
import type { AsyncScope } from "../../platform/ports.ts";
import type { Sleep } from "./ledger.ts";
import type { SimProcess } from "./sim-process.ts";

/** How objects of a process wait. */
export function sleepOf({ clock }: SimProcess): Sleep {
  return (ms) => new Promise<void>((resolve) => clock.after(ms, resolve));
}

export function turnScope(): AsyncScope<Turn> {
  const storage = new AsyncLocalStorage<Turn>();
  return {
    run: <R>(turn: Turn, action: () => R): R => storage.run(turn, action),
    get: () => storage.getStore(),
  };
}
