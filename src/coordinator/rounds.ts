/** Runs one round of work at a time, and one more when it was asked for meanwhile. */
export class Rounds {
  readonly #round: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #turning = false;
  #again = false;
  #stopped = false;

  constructor(round: () => Promise<void>, failed: (error: unknown) => void) {
    this.#round = round;
    this.#failed = failed;
  }

  turn(): void {
    if (this.#stopped) return;
    if (this.#turning) {
      this.#again = true;
      return;
    }
    this.#turning = true;
    void this.#round()
      .catch(this.#failed)
      .finally(() => {
        this.#turning = false;
        if (!this.#again) return;
        this.#again = false;
        this.turn();
      });
  }

  stop(): void {
    this.#stopped = true;
  }
}
