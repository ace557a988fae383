/** Something whose writes can commit without those of others: an object. */
export interface CommitMember {
  /** The unit that it is in, if any. */
  unit: CommitUnit | undefined;
}

/** Members that have seen one another's work before it was committed: they commit together, or not at all. */
export class CommitUnit {
  readonly members: CommitMember[];
  readonly of: CommitUnits;
  parent: CommitUnit | undefined;

  constructor(of: CommitUnits, member: CommitMember) {
    this.of = of;
    this.members = [member];
  }
}

/** The units of one commit: a disjoint-set forest (Galler, Fischer 1964) that joins the smaller set to the larger. */
export class CommitUnits {
  readonly #made: CommitMember[] = [];

  /** Whether the member is in a unit that was made here. */
  has({ unit }: CommitMember): boolean {
    return unit?.of === this;
  }

  /** The unit of a member, which begins in one of its own. */
  of(member: CommitMember): CommitUnit {
    let root = member.unit;
    if (root?.of !== this) {
      root = new CommitUnit(this, member);
      member.unit = root;
      this.#made.push(member);
    }
    while (root.parent !== undefined) root = root.parent;
    return root;
  }

  /** Makes one unit of those of two members. */
  join(left: CommitMember, right: CommitMember): void {
    const a = this.of(left);
    const b = this.of(right);
    if (a === b) return;
    const [small, large] = a.members.length < b.members.length ? [a, b] : [b, a];
    small.parent = large;
    for (const member of small.members) large.members.push(member);
  }

  /** The commit is over: what was in its units may leave memory. */
  dispose(): void {
    for (const member of this.#made) if (this.has(member)) member.unit = undefined;
  }
}
