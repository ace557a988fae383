import type { History, Sent } from "./history.ts";
import { Violation } from "./violation.ts";

/**
 * What was sent through outboxes arrived exactly once, in order, and its outcome was told exactly once: if and only if the
 * turn that sent it has committed ([CALL7]). Of ledgers that were deleted meanwhile nothing is known.
 *
 * @param ledgers the tokens of each ledger at the end
 * @param unparked objects with calls that were parked: such a call goes to the end of the line ([CALL12])
 */
export function checkOutbox(
  { sent }: History,
  ledgers: ReadonlyMap<string, readonly string[]>,
  unparked: ReadonlySet<string>,
): void {
  const deleted = new Set(sent.filter(({ deed }) => deed === "delete").map(({ object }) => object));
  const pairs = new Map<string, Sent[]>();
  for (const entry of sent) {
    const { deed, object, to, token } = entry;
    if (deed !== "send" || deleted.has(object) || deleted.has(to)) continue;
    const [own, others] = [ledgers.get(object) ?? [], ledgers.get(to) ?? []];
    const counts = [own, others, others, own].map((tokens, place) =>
      count(tokens, `${token}${["", ">>", ">", "<"][place]}`),
    );
    if (new Set(counts).size !== 1 || (counts[0] as number) > 1) {
      const [done, first, second, told] = counts;
      throw new Violation(
        `[CALL7] ${token} from ${object} to ${to}: sent ${done} times, arrived ${first} and ${second}, told ${told} times`,
      );
    }
    const pair = `${object} to ${to}`;
    pairs.set(pair, [...(pairs.get(pair) ?? []), entry]);
  }
  for (const [pair, entries] of pairs) if (!unparked.has((entries[0] as Sent).to)) checkOrder(pair, entries, ledgers);
}

function checkOrder(pair: string, entries: readonly Sent[], ledgers: ReadonlyMap<string, readonly string[]>): void {
  const [{ object, to }] = entries as [Sent];
  const atOnce = new Set(entries.filter(({ step }) => step.ms < 10).map(({ token }) => token));
  const order = (ledgers.get(object) ?? []).filter((token) => atOnce.has(token));
  const arrived = (ledgers.get(to) ?? []).filter(
    (token) => token.endsWith(">") && atOnce.has(token.replace(/>+$/, "")),
  );
  if (order.flatMap((token) => [`${token}>>`, `${token}>`]).join() !== arrived.join())
    throw new Violation(`[CALL7] ${pair}: sent ${order}, arrived ${arrived}`);
}

function count(tokens: readonly string[], token: string): number {
  return tokens.filter((each) => each === token).length;
}
