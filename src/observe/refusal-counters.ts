/** How often each limit refused a call, by its name. */
export type RefusalCounts = Readonly<Record<string, number>>;

/** Names that are counted: limits come and go with the settings. */
const MOST = 256;

/** Counts what limits refuse: in memory, from the start of the process on. */
export class RefusalCounters {
  readonly #counts = new Map<string, number>();

  add(limit: string, times = 1): void {
    const known = this.#counts.get(limit);
    if (known === undefined && this.#counts.size >= MOST) return;
    this.#counts.set(limit, (known ?? 0) + times);
  }

  get values(): RefusalCounts {
    return Object.fromEntries(this.#counts);
  }
}
