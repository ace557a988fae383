import type { HandOver } from "./commit-batch.ts";
import type { CommitMember, CommitUnits } from "./commit-unit.ts";

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

  /**
   * Whether something went from one member to another, by way of others or not, or if that is long to find out. Who is in a
   * unit with somebody is stored or refused with him: what one of them got all of them got.
   */
  reaches(from: CommitMember, to: CommitMember, units: CommitUnits): boolean {
    if (from === to) return true;
    const together = (member: CommitMember) => (units.has(member) ? units.of(member).members : [member]);
    const own = together(from);
    if (this.#given.size === 0 || (own.length === 1 && !this.#given.has(from))) return false;
    if (own.length > STEPS) return true;
    const seen = new Set(own);
    const near = own.includes(to);
    for (const member of seen) {
      for (const next of this.#given.get(member) ?? []) {
        if (next === to || seen.size >= STEPS) return true;
        for (const other of seen.has(next) ? [] : together(next)) {
          if (other === to && !near) return true;
          seen.add(other);
        }
      }
    }
    return false;
  }
}
