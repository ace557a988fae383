/** Clients that add 1 to counters by plain calls, never repeat one, and keep every answer that was not a success. */
export class PlainTraffic {
  readonly failed: string[] = [];
  /** Acknowledged additions by counter. */
  readonly added = new Map<string, number>();
  readonly #url: string;
  readonly #counters: number;
  #stopping = false;
  #running: Promise<void>[] = [];

  constructor(url: string, counters: number) {
    this.#url = url;
    this.#counters = counters;
  }

  get calls(): number {
    return [...this.added.values()].reduce((sum, count) => sum + count, 0);
  }

  start(clients: number): void {
    this.#running = Array.from({ length: clients }, (_, client) => this.#client(client));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  /** What the counters hold now, against what was acknowledged. */
  async check(): Promise<{ counter: string; value: unknown; acknowledged: number }[]> {
    const wrong = [];
    for (const [counter, acknowledged] of this.added) {
      const answer = await fetch(`${this.#url}/api/v1/objects/call/Counter/${counter}/get`, { method: "POST" });
      const { response } = (await answer.json()) as { response?: { value: number } };
      if (response?.value !== acknowledged) wrong.push({ counter, value: response?.value, acknowledged });
    }
    return wrong;
  }

  async #client(client: number): Promise<void> {
    for (let round = 0; !this.#stopping; round++) {
      const counter = `counter-${(client * 31 + round) % this.#counters}`;
      try {
        const answer = await fetch(`${this.#url}/api/v1/objects/call/Counter/${counter}/add`, {
          method: "POST",
          body: JSON.stringify({ request: { by: 1 } }),
          signal: AbortSignal.timeout(30_000),
        });
        const text = await answer.text();
        if (answer.status === 200) this.added.set(counter, (this.added.get(counter) ?? 0) + 1);
        else this.failed.push(`${counter}: ${answer.status} ${text}`);
      } catch (error) {
        this.failed.push(`${counter}: ${String(error)}`);
      }
    }
  }
}
