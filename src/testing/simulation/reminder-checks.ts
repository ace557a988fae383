import type { History } from "./history.ts";
import { Violation } from "./violation.ts";

/**
 * Every reminder has called exactly once: if and only if the turn that set it has committed ([TIME1]). Of ledgers that were
 * deleted meanwhile nothing is known.
 *
 * @param ledgers the tokens of each ledger at the end
 */
export function checkReminders({ sent }: History, ledgers: ReadonlyMap<string, readonly string[]>): void {
  const deleted = new Set(sent.filter(({ deed }) => deed === "delete").map(({ object }) => object));
  for (const { deed, object, token } of sent) {
    if (deed !== "remindMe" || deleted.has(object)) continue;
    const tokens = ledgers.get(object) ?? [];
    const times = (sought: string) => tokens.filter((each) => each === sought).length;
    const [set, called] = [times(token), times(`${token}!`)];
    if (set !== called || called > 1)
      throw new Violation(`[TIME1] ${token} of ${object}: set ${set} times, called ${called} times`);
  }
}
