/** Undoes what has been done, the last thing first. (Node 22 has no `AsyncDisposableStack`.) */
export class Cleanup {
  readonly #steps: (() => unknown)[] = [];

  /** @param step undoes something; it runs once */
  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** Takes every step, also when one fails. @throws what failed first */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop())
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    if (failures.length > 0) throw failures[0];
  }
}
