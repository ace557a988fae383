/** Hands on a state that one action leads to. A `fault` is nothing to count on: a crash, a loss, a late message. */
export type Emit<S> = (action: string, state: S, fault?: boolean) => void;

/** A system as plain immutable states and what may happen in each. */
export interface Model<S> {
  readonly initial: readonly S[];
  /** Names every state that may follow; always the same ones, in the same order. */
  readonly successors: (state: S, emit: Emit<S>) => void;
  /** Equal for states that need not be told apart; this is where symmetry goes. */
  readonly key: (state: S) => string;
  readonly invariants: readonly Invariant<S>[];
  readonly steps: readonly StepInvariant<S>[];
  /** What must stay within reach without any fault, whatever has happened so far. */
  readonly goal?: { readonly name: string; readonly reached: (state: S) => boolean };
}

/** Says what is wrong, or undefined. */
export interface Invariant<S> {
  readonly name: string;
  readonly fault: (state: S) => string | undefined;
}

export interface StepInvariant<S> {
  readonly name: string;
  readonly fault: (before: S, after: S) => string | undefined;
}

export interface Violation<S> {
  readonly invariant: string;
  readonly reason: string;
  /** A shortest way to it; the first entry is an initial state and has no action. */
  readonly trace: readonly { readonly action: string; readonly state: S }[];
}

export interface Exploration<S> {
  readonly states: number;
  readonly transitions: number;
  /** Steps to the farthest state. */
  readonly depth: number;
  /** Whether everything within reach was seen: no violation, and no limit hit. */
  readonly complete: boolean;
  readonly violation?: Violation<S>;
}

interface Options {
  /** States after which it gives up. */
  readonly limit?: number;
}

interface Found {
  readonly id: number;
  readonly invariant: string;
  readonly reason: string;
  /** Set when a step is wrong, not the state it leads to: which of the state's steps. */
  readonly choice?: number;
}

/** Visits every state a model can reach, breadth first, so that what it finds wrong has a shortest trace. */
export function explore<S>(model: Model<S>, { limit = Number.POSITIVE_INFINITY }: Options = {}): Exploration<S> {
  const ids = new Map<string, number>();
  /** How each state was reached first: from which, and by which of its steps. Initial states have -1 and their place. */
  const parents = new Numbers();
  const choices = new Numbers();
  const edges = { from: new Numbers(), to: new Numbers() };
  const goals = new Numbers();
  let transitions = 0;
  let depth = 0;
  let found: Found | undefined;
  let next: { readonly id: number; readonly state: S }[] = [];

  const visit = (state: S, parent: number, choice: number): number => {
    const key = model.key(state);
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = ids.size;
    ids.set(key, id);
    parents.push(parent);
    choices.push(choice);
    next.push({ id, state });
    if (model.goal?.reached(state) === true) goals.push(id);
    for (const { name, fault } of model.invariants) {
      const reason = found === undefined ? fault(state) : undefined;
      if (reason !== undefined) found = { id, invariant: name, reason };
    }
    return id;
  };

  model.initial.forEach((state, place) => {
    visit(state, -1, place);
  });
  const full = () => ids.size >= limit;
  for (let level = 0; next.length > 0 && found === undefined && !full(); level++) {
    depth = level;
    const frontier = next;
    next = [];
    for (const { id, state } of frontier) {
      if (found !== undefined || full()) break;
      let choice = 0;
      model.successors(state, (_action, after, fault = false) => {
        const taken = choice++;
        if (found !== undefined) return;
        transitions++;
        for (const { name, fault: wrong } of model.steps) {
          const reason = wrong(state, after);
          if (reason === undefined) continue;
          found = { id, invariant: name, reason, choice: taken };
          return;
        }
        const to = visit(after, id, taken);
        if (fault || to === id) return;
        edges.from.push(id);
        edges.to.push(to);
      });
    }
  }
  const complete = found === undefined && next.length === 0;
  if (complete && model.goal !== undefined) {
    const id = stranded(ids.size, edges.from, edges.to, goals);
    if (id !== undefined) found = { id, invariant: model.goal.name, reason: "it can't be reached from here any more" };
  }
  const counts = { states: ids.size, transitions, depth, complete: complete && found === undefined };
  return found === undefined ? counts : { ...counts, violation: violationOf(model, found, parents, choices) };
}

/** The first state from which no edges lead to a goal. */
function stranded(states: number, from: Numbers, to: Numbers, goals: Numbers): number | undefined {
  // Edges by where they lead: those of state n are at starts[n] up to starts[n + 1].
  const starts = new Int32Array(states + 1);
  for (let edge = 0; edge < to.length; edge++) starts[to.at(edge) + 1] = (starts[to.at(edge) + 1] as number) + 1;
  for (let id = 0; id < states; id++) starts[id + 1] = (starts[id + 1] as number) + (starts[id] as number);
  const places = starts.slice();
  const sources = new Int32Array(to.length);
  for (let edge = 0; edge < to.length; edge++) {
    const place = places[to.at(edge)] as number;
    sources[place] = from.at(edge);
    places[to.at(edge)] = place + 1;
  }
  const reaches = new Uint8Array(states);
  const stack: number[] = [];
  const mark = (id: number) => {
    if (reaches[id] === 1) return;
    reaches[id] = 1;
    stack.push(id);
  };
  for (let index = 0; index < goals.length; index++) mark(goals.at(index));
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    for (let edge = starts[id] as number; edge < (starts[id + 1] as number); edge++) mark(sources[edge] as number);
  }
  const first = reaches.indexOf(0);
  return first < 0 ? undefined : first;
}

/** Walks the way again, for states are not kept. */
function violationOf<S>(model: Model<S>, found: Found, parents: Numbers, choices: Numbers): Violation<S> {
  const way: number[] = found.choice === undefined ? [] : [found.choice];
  let id = found.id;
  while (parents.at(id) >= 0) {
    way.unshift(choices.at(id));
    id = parents.at(id);
  }
  let last = { action: "", state: model.initial[choices.at(id)] as S };
  const trace = [last];
  for (const choice of way) {
    let place = 0;
    let taken: typeof last | undefined;
    model.successors(last.state, (action, state) => {
      if (place++ === choice) taken = { action, state };
    });
    if (taken === undefined) throw new Error("a state had other successors than before");
    trace.push(taken);
    last = taken;
  }
  return { invariant: found.invariant, reason: found.reason, trace };
}

/** A list of 32-bit numbers that grows: a tenth of what an array of that size takes. */
class Numbers {
  #values = new Int32Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  at(index: number): number {
    return this.#values[index] as number;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const values = new Int32Array(this.#length * 2);
      values.set(this.#values);
      this.#values = values;
    }
    this.#values[this.#length++] = value;
  }
}
