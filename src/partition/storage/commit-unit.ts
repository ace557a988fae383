/** Something whose writes can commit without those of others: an object. */
export interface CommitMember {
  /** The unit that it was last put in. */
  unit: CommitUnit | undefined;
}

/**
 * Members that have seen one another's work before it was committed: they commit together, or not at all.
 * A disjoint-set forest (Galler, Fischer 1964) that joins the smaller set to the larger.
 */
export class CommitUnit {
  readonly members: CommitMember[];
  readonly #round: number;
  #parent: CommitUnit | undefined;

  private constructor(round: number, member: CommitMember) {
    this.#round = round;
    this.members = [member];
  }

  /** The unit of a member in a commit; each member begins in one of its own. */
  static of(member: CommitMember, round: number): CommitUnit {
    if (member.unit === undefined || member.unit.#round !== round) member.unit = new CommitUnit(round, member);
    let root = member.unit;
    while (root.#parent !== undefined) root = root.#parent;
    return root;
  }

  /** Makes one unit of those of two members. */
  static join(left: CommitMember, right: CommitMember, round: number): void {
    const a = CommitUnit.of(left, round);
    const b = CommitUnit.of(right, round);
    if (a === b) return;
    const [small, large] = a.members.length < b.members.length ? [a, b] : [b, a];
    small.#parent = large;
    large.members.push(...small.members);
  }
}
