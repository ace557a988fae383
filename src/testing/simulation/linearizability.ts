/** One operation on a list of tokens, as its client saw it. Times are moments of the history. */
export interface ListOperation {
  readonly name: string;
  readonly kind: "add" | "list" | "delete";
  readonly token?: string;
  readonly invoked: number;
  /** Infinite when nobody knows: it may have had its effect at any time, or never. */
  readonly returned: number;
  /** It must be part of the order: its effect or its answer is known. */
  readonly required: boolean;
  /** The list after it, when it was told. */
  readonly seen?: readonly string[];
}

/**
 * Looks for an order of the operations that explains all answers and keeps to real time: the search of Wing and Gong (1993)
 * with Lowe's (2017) memory of configurations that lead nowhere. Undefined when there is one; else how far it got.
 */
export function explainHistory(operations: readonly ListOperation[], budget = 200_000): string | undefined {
  const useful = relevant(operations).sort(
    (left, right) => left.returned - right.returned || left.invoked - right.invoked,
  );
  const search = new Search(useful, budget);
  return search.run() ? undefined : search.describe();
}

/** An add whose outcome nobody knows and whose token nobody ever saw can be left out of every order. */
function relevant(operations: readonly ListOperation[]): ListOperation[] {
  const seen = new Set(operations.flatMap(({ seen }) => seen ?? []));
  return operations.filter(({ kind, token, required }) => required || kind !== "add" || seen.has(token as string));
}

/**
 * What must stand before each token that somebody saw: everything that stood before it there. Nothing is known of those
 * nobody saw.
 */
function placesOf(operations: readonly ListOperation[]): Map<string, Set<string>> {
  const added = new Map<string, number>();
  for (const { token } of operations) if (token !== undefined) added.set(token, (added.get(token) ?? 0) + 1);
  const places = new Map<string, Set<string>>();
  const wiped = operations.some(({ kind }) => kind === "delete");
  for (const { seen = [] } of operations) {
    seen.forEach((token, index) => {
      // One of several may have been wiped before anybody saw it.
      if (wiped && (added.get(token) ?? 0) > 1) return;
      const known = places.get(token) ?? new Set();
      places.set(token, known.add(seen.slice(0, index).join()));
    });
  }
  return places;
}

class Search {
  readonly #operations: readonly ListOperation[];
  readonly #done: boolean[];
  readonly #order: ListOperation[] = [];
  readonly #visited = new Set<string>();
  readonly #places: ReadonlyMap<string, ReadonlySet<string>>;
  /** Deletes that may have happened, or not; earliest first. */
  readonly #ghosts: readonly number[];
  /** Adds left of each token. */
  readonly #left = new Map<string, number>();
  #required: number;
  #budget: number;
  #best: readonly ListOperation[] = [];
  #bestState: readonly string[] = [];

  constructor(operations: readonly ListOperation[], budget: number) {
    this.#operations = operations;
    this.#done = operations.map(() => false);
    this.#places = placesOf(operations);
    for (const { token } of operations)
      if (token !== undefined) this.#left.set(token, (this.#left.get(token) ?? 0) + 1);
    this.#ghosts = operations.flatMap(({ kind, required }, index) => (kind === "delete" && !required ? [index] : []));
    this.#required = operations.filter(({ required }) => required).length;
    this.#budget = budget;
  }

  run(): boolean {
    return this.#from([]);
  }

  describe(): string {
    const order = this.#best.map(({ name }) => name).join(", ");
    const left = this.#operations
      .filter((operation) => operation.required && !this.#best.includes(operation))
      .slice(0, 8)
      .map(({ name, invoked, returned, seen }) => `${name} [${invoked}, ${returned}] saw ${seen ?? "?"}`);
    return `no order explains the answers; the longest is (${order}), which makes ${this.#bestState}; left: ${left.join("; ")}`;
  }

  #from(state: readonly string[]): boolean {
    if (this.#required === 0) return true;
    if (--this.#budget < 0) throw new Error("the search for an order takes too long");
    if (this.#order.length > this.#best.length) {
      this.#best = [...this.#order];
      this.#bestState = state;
    }
    const key = `${this.#done.map((done) => (done ? 1 : 0)).join("")}|${state}`;
    if (this.#visited.has(key)) return false;
    this.#visited.add(key);
    if (this.#isHopeless(state)) return false;
    let horizon = Number.POSITIVE_INFINITY;
    this.#operations.forEach((operation, index) => {
      if (!this.#done[index] && operation.required) horizon = Math.min(horizon, operation.returned);
    });
    for (let index = 0; index < this.#operations.length; index++) {
      const operation = this.#operations[index] as ListOperation;
      if (this.#done[index] || operation.invoked > horizon || this.#isIdle(index, state)) continue;
      const places = operation.token === undefined ? undefined : this.#places.get(operation.token);
      if (places !== undefined && !places.has(state.join())) continue;
      const next = apply(state, operation);
      if (next === undefined) continue;
      this.#take(index, operation, 1);
      if (this.#from(next)) return true;
      this.#take(index, operation, -1);
    }
    return false;
  }

  /** Whether somebody must still see a list that can't come to be any more: too few adds of its tokens are left. */
  #isHopeless(state: readonly string[]): boolean {
    return this.#operations.some(({ required, seen }, index) => {
      if (!required || this.#done[index] || seen === undefined) return false;
      const grows = state.every((token, place) => seen[place] === token);
      return (grows ? seen.slice(state.length) : seen).some((token) => this.#left.get(token) === 0);
    });
  }

  /**
   * Whether it need not be tried here. Deletes that may have happened, or not, differ only in when they may at first: they
   * go in that order, and not where there is nothing to delete. Of other operations that are the same the first goes first.
   */
  #isIdle(index: number, state: readonly string[]): boolean {
    const { kind, required, name } = this.#operations[index] as ListOperation;
    if (kind === "delete" && !required)
      return state.length === 0 || this.#ghosts.some((ghost) => ghost < index && !this.#done[ghost]);
    const before = this.#operations[index - 1];
    return before?.name === name && before.required === required && !this.#done[index - 1];
  }

  #take(index: number, operation: ListOperation, sign: 1 | -1): void {
    this.#done[index] = sign === 1;
    const { required, token } = operation;
    if (required) this.#required -= sign;
    if (token !== undefined) this.#left.set(token, (this.#left.get(token) as number) - sign);
    if (sign === 1) this.#order.push(operation);
    else this.#order.pop();
  }
}

/** The list after the operation, or undefined when that is not what was seen. */
function apply(state: readonly string[], { kind, token, seen }: ListOperation): readonly string[] | undefined {
  const next = kind === "add" ? [...state, token as string] : kind === "delete" ? [] : state;
  if (seen === undefined) return next;
  return seen.length === next.length && seen.every((each, index) => each === next[index]) ? next : undefined;
}
