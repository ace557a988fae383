/** What a histogram has counted. */
export interface HistogramValues {
  /** The largest value of each count but the last, which has what is larger. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Counts values in fixed ranges: it takes the same memory, however many there are. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds in order, the smallest first */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  add(value: number): void {
    let place = 0;
    while (place < this.#bounds.length && value > (this.#bounds[place] as number)) place++;
    this.#counts[place] = (this.#counts[place] as number) + 1;
    this.#sum += value;
  }

  get values(): HistogramValues {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum };
  }
}
