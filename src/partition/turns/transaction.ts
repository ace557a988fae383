/** What it needs to know of a turn. */
interface Member<Turn> {
  readonly status: "waiting" | "running" | "ended";
  readonly activation: { readonly key: string };
  readonly services: { over(turn: Turn): Error };
  /** Turns that it waits for. */
  children: Set<Turn> | undefined;
  endWait(): void;
}

/**
 * The objects that a turn has taken. Each is held by a turn of its own, whose method is what the transaction calls on the
 * object: those calls run inside it. All of them end in the event in which the turn that took them ends, as it ends.
 */
export class Transaction<Turn extends Member<Turn>> {
  /** Turns that hold the objects, in the order of their keys. */
  readonly held: Turn[] = [];
  /** The turn that takes the objects. */
  readonly turn: Turn;
  /** Its place among those that have begun: the younger has the greater number, also when it begins again. */
  readonly age: number;
  /** Whether its turn may begin again: it takes objects, and has done nothing that outlasts it. */
  yields: boolean;
  readonly #calls = new Set<Promise<unknown>>();
  readonly #closing = Promise.withResolvers<void>();
  readonly #settled = Promise.withResolvers<void>();
  /** Held turns that have yet to say whether they can be published. */
  #unprepared = 0;
  #state: "open" | "settled" | "ended" = "open";
  /** Why nothing of it will happen. */
  #failure: { readonly cause: unknown } | undefined;

  constructor(turn: Turn, age: number, yields: boolean) {
    this.turn = turn;
    this.age = age;
    this.yields = yields;
    this.#settled.promise.catch(() => undefined);
  }

  /** @throws what ended it, or that its turn has ended */
  checkOpen(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
    if (this.turn.status !== "running" || this.#state === "ended") throw this.turn.services.over(this.turn);
    if (this.#state === "settled") throw new Error("The transaction has ended: its stubs can't be used any more");
  }

  /** A turn has got its object. Until the end it waits for the turn that took it. */
  take(held: Turn): void {
    held.endWait();
    held.children ??= new Set();
    held.children.add(this.turn);
    this.held.push(held);
  }

  /** What a held turn does: it lasts until no more calls can come. */
  get closing(): Promise<void> {
    return this.#closing.promise;
  }

  /** Notes a call of a held object. The first that fails ends the transaction, also if its error is caught. */
  track(call: Promise<unknown>): void {
    this.#calls.add(call);
    call.then(
      () => this.#calls.delete(call),
      (cause: unknown) => {
        this.#calls.delete(call);
        this.lost(cause);
      },
    );
  }

  /** Something of it has failed. */
  lost(cause: unknown): void {
    if (this.#state === "ended") return;
    this.#failure ??= { cause };
    this.#settled.reject(cause);
  }

  /** A held turn has done everything that can fail. */
  prepared(): void {
    if (this.#state !== "settled") return;
    this.#unprepared--;
    if (this.#unprepared === 0) this.#settled.resolve();
  }

  /** Waits for the calls that were begun, lets the held turns do what is left to them, and makes sure that all can be published. */
  async settle(): Promise<void> {
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls);
    this.checkOpen();
    this.#state = "settled";
    this.#unprepared = this.held.length;
    this.#closing.resolve();
    await this.#settled.promise;
  }

  /** @throws what ended it, or that its turn did not wait for its end */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
    if (this.#state === "settled" && this.#unprepared === 0) return;
    throw new Error(
      `${this.turn.activation.key} ended its turn before its transaction had ended: it must await this.transact(…)`,
    );
  }

  /** It is over. @returns the turns that still hold their objects */
  end(): readonly Turn[] {
    this.#state = "ended";
    for (const { children } of this.held) children?.delete(this.turn);
    return this.held.filter((held) => held.status === "running");
  }
}
