/** One transaction as its client saw it. Cells are lists that are only appended to. */
export interface Transaction {
  readonly token: string;
  /** Cells it appended its token to. */
  readonly appends: readonly string[];
  /** What it saw of cells, without its own appends; undefined where nobody told. */
  readonly reads: Readonly<Record<string, readonly string[]>> | undefined;
  /** "unknown": its caller has no answer, so it happened or it did not. */
  readonly outcome: "happened" | "did not" | "unknown";
  /** Moments at which it was sent and answered. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Checks that there is an order of transactions, each alone, in which everybody saw what was seen, and in which none comes
 * before one that had been answered when it was sent: strict serializability. Since the lists show all versions of a cell,
 * and every read shows which version it is of, the dependencies follow from the history; an order exists if and only if they
 * have no cycle (Adya 1999; Kingsbury, Alvaro 2020).
 *
 * @param final what the cells hold in the end
 * @throws Error saying what can't be
 */
export function checkSerializable(
  transactions: readonly Transaction[],
  final: Readonly<Record<string, readonly string[]>>,
): void {
  const happened = transactions.filter((transaction) => happens(transaction, final));
  const edges = new Map<Transaction, Map<Transaction, string>>(happened.map((one) => [one, new Map()]));
  const before = (one: Transaction | undefined, other: Transaction | undefined, why: string) => {
    if (one !== undefined && other !== undefined && one !== other) edges.get(one)?.set(other, why);
  };
  const byToken = new Map(happened.map((one) => [one.token, one]));
  for (const [cell, list] of Object.entries(final)) {
    if (new Set(list).size < list.length) throw new Error(`${cell} has a token twice: ${list}`);
    for (const [place, token] of list.entries()) {
      if (!byToken.has(token)) throw new Error(`${cell} has ${token}, which nobody appended`);
      before(byToken.get(list[place - 1] as string), byToken.get(token), `${cell} was appended to in this order`);
    }
    for (const reader of happened) {
      const seen = reader.reads?.[cell];
      if (seen === undefined) continue;
      if (seen.some((token, place) => list[place] !== token))
        throw new Error(`${reader.token} saw ${cell} as ${seen}, which it never was: ${list}`);
      before(byToken.get(seen.at(-1) as string), reader, `it saw the other's token in ${cell}`);
      before(reader, byToken.get(list[seen.length] as string), `it did not see the other's token in ${cell}`);
    }
  }
  for (const one of happened) {
    if (one.outcome === "unknown") continue;
    for (const other of happened)
      if (one.end < other.begin) before(one, other, "it was answered before the other was sent");
  }
  const cycle = cycleOf(edges);
  if (cycle !== undefined) throw new Error(`no order of transactions explains this: ${cycle.join("; ")}`);
}

/** Whether it took place; all of its appends are there, or none. */
function happens(
  { token, appends, outcome }: Transaction,
  final: Readonly<Record<string, readonly string[]>>,
): boolean {
  const there = appends.filter((cell) => final[cell]?.includes(token));
  if (there.length > 0 && there.length < appends.length)
    throw new Error(`half of ${token} happened: it is in ${there}, and was to be in ${appends}`);
  if (appends.length === 0) return outcome === "happened";
  if (outcome === "happened" && there.length === 0) throw new Error(`${token} was answered, and is nowhere`);
  if (outcome === "did not" && there.length > 0) throw new Error(`${token} failed, and is in ${there}`);
  return there.length > 0;
}

type Edges = ReadonlyMap<Transaction, ReadonlyMap<Transaction, string>>;

function cycleOf(edges: Edges): string[] | undefined {
  const done = new Set<Transaction>();
  const path: Transaction[] = [];
  const visit = (one: Transaction): string[] | undefined => {
    const place = path.indexOf(one);
    if (place >= 0) {
      const round = [...path.slice(place), one];
      return round.slice(1).map((to, index) => {
        const from = round[index] as Transaction;
        return `${from.token} before ${to.token} (${edges.get(from)?.get(to)})`;
      });
    }
    if (done.has(one)) return undefined;
    path.push(one);
    for (const next of edges.get(one)?.keys() ?? []) {
      const found = visit(next);
      if (found !== undefined) return found;
    }
    path.pop();
    done.add(one);
    return undefined;
  };
  for (const one of edges.keys()) {
    const found = visit(one);
    if (found !== undefined) return found;
  }
  return undefined;
}
