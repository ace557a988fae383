/** When the host was down because it was killed: what a client can't hold against it. Times are those of `performance.now()`. */
export class DownTime {
  readonly #spans: { readonly from: number; to: number }[] = [];

  /** @returns ends it */
  begin(): () => void {
    const span = { from: performance.now(), to: Number.POSITIVE_INFINITY };
    this.#spans.push(span);
    return () => {
      span.to = performance.now();
    };
  }

  /** Whether it was down at some moment of this time. */
  touches(from: number, to: number): boolean {
    return this.#spans.some((span) => span.from <= to && from <= span.to);
  }

  /** Ms of this time in which it was up. */
  upTime(from: number, to: number): number {
    return this.#spans.reduce(
      (up, span) => up - Math.max(0, Math.min(to, span.to) - Math.max(from, span.from)),
      to - from,
    );
  }
}
