import type { HandOver } from "./commit-batch.ts";
import type { CommitMember } from "./commit-unit.ts";

/** Steps from member to member before it counts as found. */
const STEPS = 200;

/** What was handed over in one commit. What `to` did is stored only with `from`, but `from` may be stored without `to`. */
export class HandOvers {
  readonly #given = new Map<CommitMember, Set<CommitMember>>();

  add({ from, to }: HandOver): void {
    const given = this.#given.get(from);
    if (given === undefined) this.#given.set(from, new Set([to]));
    else given.add(to);
  }

  /** Whether something went from one member to another, by way of others or not, or if that is long to find out. */
  reaches(from: CommitMember, to: CommitMember): boolean {
    if (from === to) return true;
    if (!this.#given.has(from)) return false;
    const seen = new Set([from]);
    for (const member of seen) {
      for (const next of this.#given.get(member) ?? []) {
        if (next === to || seen.size === STEPS) return true;
        seen.add(next);
      }
    }
    return false;
  }
}
