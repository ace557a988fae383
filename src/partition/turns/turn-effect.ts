/** What a turn does beside its object's state and rows, and in the same commit. Nothing is left of it if the turn fails. */
export interface TurnEffect {
  /**
   * Makes sure that it can take over what an inner turn has gathered.
   * @throws EdgeverseError, and the inner turn fails
   */
  checkAbsorb(inner: this): void;
  /** Takes it over. */
  absorb(inner: this): void;
  /**
   * Makes sure that it can be done, before anything of the turn is published.
   * @throws EdgeverseError, and the turn fails
   */
  check(): void;
  /** The turn has succeeded: its rows join the next commit. */
  publish(): void;
  /** The turn has ended, either way. */
  close(): void;
}

/** The effects of one turn, each of its own kind. */
export class TurnEffects {
  readonly #effects = new Map<string, TurnEffect>();

  /** Those of a turn, made when it first has one. */
  static of(turn: { effects: TurnEffects | undefined }): TurnEffects {
    turn.effects ??= new TurnEffects();
    return turn.effects;
  }

  /** The effect of this kind, made when it is first asked for. */
  of<Effect extends TurnEffect>(kind: string, make: () => Effect): Effect {
    const known = this.#effects.get(kind) as Effect | undefined;
    if (known !== undefined) return known;
    const effect = make();
    this.#effects.set(kind, effect);
    return effect;
  }

  checkAbsorb(other: TurnEffects): void {
    for (const [kind, inner] of other.#effects) this.#effects.get(kind)?.checkAbsorb(inner);
  }

  /** The effect of this kind, if there is one. */
  find<Effect extends TurnEffect>(kind: string): Effect | undefined {
    return this.#effects.get(kind) as Effect | undefined;
  }

  /** @param other of an inner turn; what it has no counterpart of here changes owner */
  absorb(other: TurnEffects): void {
    for (const [kind, inner] of other.#effects) {
      const own = this.#effects.get(kind);
      if (own === undefined) this.#effects.set(kind, inner);
      else own.absorb(inner);
    }
    other.#effects.clear();
  }

  check(): void {
    for (const effect of this.#effects.values()) effect.check();
  }

  publish(): void {
    for (const effect of this.#effects.values()) effect.publish();
  }

  close(): void {
    for (const effect of this.#effects.values()) effect.close();
    this.#effects.clear();
  }
}
