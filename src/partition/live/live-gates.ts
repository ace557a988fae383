import { readMeta, writeMeta } from "../../platform/meta.ts";
import type { SqlStorage } from "../../platform/ports.ts";

const GATES = "live_gates";
const RUN = "live_run";

/**
 * What of watching outlasts a process of the partition: which gates watch anything here, so that the next process tells them
 * that it knows of nothing. It is written when a gate watches its first object, and not for each.
 */
export class LiveGates {
  readonly #storage: SqlStorage;
  readonly #names: Set<string>;
  #run: number | undefined;

  constructor(storage: SqlStorage) {
    this.#storage = storage;
    this.#names = new Set(JSON.parse(readMeta(storage, GATES) ?? "[]") as string[]);
  }

  get names(): readonly string[] {
    return [...this.#names];
  }

  /** Tells this process of the partition from those before. */
  get run(): number {
    if (this.#run !== undefined) return this.#run;
    const run = Number(readMeta(this.#storage, RUN) ?? 0) + 1;
    // A number that is not written would be the next process's, too.
    writeMeta(this.#storage, RUN, String(run));
    this.#run = run;
    return run;
  }

  add(gate: string): void {
    if (this.#names.has(gate)) return;
    this.#save([...this.#names, gate]);
    this.#names.add(gate);
  }

  remove(gate: string): void {
    if (this.#names.delete(gate)) this.#save(this.names);
  }

  #save(names: readonly string[]): void {
    writeMeta(this.#storage, GATES, JSON.stringify(names));
  }
}
