/** Numbers the parts that states are made of, so that a key has one character for each. */
export class PartNumbers {
  readonly #numbers = new Map<string, number>();

  /** The number of a part: the same for equal texts. */
  of(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (this.#numbers.size > 0xffff) throw new Error("a state has more different parts than can be numbered");
    this.#numbers.set(text, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  /**
   * Numbers parts that are looked up by identity first, for a step leaves most of them as they are. The states that follow one
   * another in a search mostly share their parts: two are worth remembering.
   */
  remembered<T extends object>(text: (part: T) => string): (part: T) => number {
    let [last, before]: [T | undefined, T | undefined] = [undefined, undefined];
    let [lastNumber, numberBefore] = [0, 0];
    return (part) => {
      if (part === last) return lastNumber;
      const number = part === before ? numberBefore : this.of(text(part));
      [before, numberBefore] = [last, lastNumber];
      [last, lastNumber] = [part, number];
      return number;
    };
  }
}
