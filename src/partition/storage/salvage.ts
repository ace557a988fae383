import type { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { CommitBatch, type HandOver } from "./commit-batch.ts";
import type { CommitUnit, CommitUnits } from "./commit-unit.ts";

interface Parts {
  /** Writes a batch in one transaction; says why if nothing of it was stored. */
  readonly store: (batch: CommitBatch) => { readonly cause: unknown } | undefined;
  readonly refusal: (cause: unknown) => EdgeverseError;
}

interface Refused {
  readonly unit: CommitBatch;
  readonly error: EdgeverseError;
}

/** A unit of a commit, with what it is to store. */
interface Piece {
  readonly unit: CommitUnit;
  readonly batch: CommitBatch;
}

/**
 * Stores what can be stored of a batch that failed: in halves, until what fails is alone. Units that have handed over work to
 * one another are tried together. If they fail alone, then one by one, in the order in which the work went:
 *
 * | a unit                       | then                                                                      |
 * |------------------------------|---------------------------------------------------------------------------|
 * | got work of a refused one    | is refused: that work never was                                           |
 * | can't be stored              | is refused                                                                |
 * | is stored                    | and with it the rows of what it handed over, which is then delivered once more |
 *
 * Whoever has such work done all the same knows it by its call id.
 */
export function salvage(
  batch: CommitBatch,
  all: CommitUnits,
  { store, refusal }: Parts,
): { readonly stored: CommitBatch[]; readonly refused: Refused[] } {
  const { units, rest } = batch.split(all);
  const stored: CommitBatch[] = [rest];
  const refused: Refused[] = [];
  /** `before`: it has failed alone before. Until then the storage may have failed in passing, and not at what is in it. */
  const attempt = (groups: readonly Piece[][], before = false): void => {
    const batches = groups.flat().map((piece) => piece.batch);
    const failure = store(CommitBatch.union(batches));
    if (failure === undefined) stored.push(...batches);
    else if (groups.length > 1) inHalves(groups, attempt);
    else {
      const error = refusal(failure.cause);
      if (error.code === "COMMIT_REFUSED" && !before) attempt(groups, true);
      else if (batches.length > 1) apart(groups[0] as Piece[], batch.handOvers, all, attemptAlone);
      else refused.push({ unit: batches[0] as CommitBatch, error });
    }
  };
  const attemptAlone = (pieces: readonly Piece[], given: readonly HandOver[], because: EdgeverseError | undefined) => {
    const unit = CommitBatch.union(pieces.map((piece) => piece.batch));
    const whole = CommitBatch.union([unit]);
    for (const { from, instead } of given) whole.rows.push({ owner: from, ...instead });
    const failure = because === undefined ? store(whole) : undefined;
    const error = because ?? (failure === undefined ? undefined : refusal(failure.cause));
    if (error !== undefined) refused.push({ unit, error });
    else {
      stored.push(unit);
      for (const { onInstead } of given) onInstead();
    }
    return error;
  };
  const groups = connected(units, batch.handOvers, all);
  if (groups.length === 1) attempt(groups, true);
  else inHalves(groups, attempt);
  return { stored, refused };
}

/** Tries the units of a group one by one, those first that got nothing from another. A circle of them is tried as one. */
function apart(
  group: readonly Piece[],
  handOvers: readonly HandOver[],
  all: CommitUnits,
  attempt: (
    pieces: readonly Piece[],
    given: readonly HandOver[],
    because: EdgeverseError | undefined,
  ) => EdgeverseError | undefined,
): void {
  const waiting = new Map(group.map((piece) => [piece.unit, piece]));
  const errors = new Map<CommitUnit, EdgeverseError>();
  const ways = handOvers
    .map((handOver) => ({ handOver, from: all.of(handOver.from), to: all.of(handOver.to) }))
    .filter(({ from, to }) => from !== to && waiting.has(from));
  while (waiting.size > 0) {
    const behind = new Set(ways.filter(({ from }) => waiting.has(from)).map(({ to }) => to));
    const free = [...waiting.values()].filter(({ unit }) => !behind.has(unit));
    const round = free.length > 0 ? free.map((piece) => [piece]) : [[...waiting.values()]];
    for (const pieces of round) {
      const inside = new Set(pieces.map(({ unit }) => unit));
      const given = ways.filter(({ from, to }) => inside.has(from) && !inside.has(to)).map(({ handOver }) => handOver);
      const giver = ways.find(({ from, to }) => inside.has(to) && errors.has(from))?.from;
      const error = attempt(pieces, given, giver === undefined ? undefined : errors.get(giver));
      for (const { unit } of pieces) {
        waiting.delete(unit);
        if (error !== undefined) errors.set(unit, error);
      }
    }
  }
}

/** Units in groups: those of a group have handed over work to one another. */
function connected(
  units: ReadonlyMap<CommitUnit, CommitBatch>,
  handOvers: readonly HandOver[],
  all: CommitUnits,
): Piece[][] {
  const near = new Map<CommitUnit, CommitUnit[]>();
  const connect = (left: CommitUnit, right: CommitUnit) => {
    const known = near.get(left);
    if (known === undefined) near.set(left, [right]);
    else known.push(right);
  };
  for (const handOver of handOvers) {
    const [from, to] = [all.of(handOver.from), all.of(handOver.to)];
    connect(from, to);
    connect(to, from);
  }
  const left = new Map(units);
  const groups: Piece[][] = [];
  for (const first of units.keys()) {
    if (!left.has(first)) continue;
    const members = new Set([first]);
    for (const member of members) for (const next of near.get(member) ?? []) members.add(next);
    const group: Piece[] = [];
    for (const unit of members) {
      const batch = left.get(unit);
      if (batch !== undefined) group.push({ unit, batch });
      left.delete(unit);
    }
    groups.push(group);
  }
  return groups;
}

function inHalves<T>(items: readonly T[], action: (half: readonly T[]) => void): void {
  const middle = items.length >> 1;
  action(items.slice(0, middle));
  action(items.slice(middle));
}
