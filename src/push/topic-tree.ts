interface Node<Value> {
  readonly values: Set<Value>;
  readonly children: Map<string, Node<Value>>;
}

const NONE: ReadonlySet<never> = new Set();

/** Values under topics and patterns of topics. To find those of a topic costs its segments, not the number of patterns. */
export class TopicTree<Value> {
  readonly #root: Node<Value> = empty();

  add(pattern: readonly string[], value: Value): void {
    let node = this.#root;
    for (const segment of pattern) {
      const next = node.children.get(segment) ?? empty<Value>();
      node.children.set(segment, next);
      node = next;
    }
    node.values.add(value);
  }

  remove(pattern: readonly string[], value: Value): void {
    removeFrom(this.#root, pattern, 0, value);
  }

  /** The values of all patterns that the topic fits, each once. */
  of(topic: readonly string[]): ReadonlySet<Value> {
    const found: Set<Value>[] = [];
    collect(this.#root, topic, 0, found);
    if (found.length < 2) return found[0] ?? NONE;
    const all = new Set<Value>();
    for (const values of found) for (const value of values) all.add(value);
    return all;
  }
}

function empty<Value>(): Node<Value> {
  return { values: new Set(), children: new Map() };
}

/** At each segment there are two ways on: a topic has few segments, so these are few ways. */
function collect<Value>(node: Node<Value>, topic: readonly string[], index: number, found: Set<Value>[]): void {
  if (index === topic.length) {
    if (node.values.size > 0) found.push(node.values);
    return;
  }
  const rest = node.children.get("**");
  if (rest !== undefined && rest.values.size > 0) found.push(rest.values);
  for (const segment of [topic[index] as string, "*"]) {
    const next = node.children.get(segment);
    if (next !== undefined) collect(next, topic, index + 1, found);
  }
}

function removeFrom<Value>(node: Node<Value>, pattern: readonly string[], index: number, value: Value): void {
  const segment = pattern[index];
  if (segment === undefined) {
    node.values.delete(value);
    return;
  }
  const next = node.children.get(segment);
  if (next === undefined) return;
  removeFrom(next, pattern, index + 1, value);
  if (next.values.size === 0 && next.children.size === 0) node.children.delete(segment);
}
