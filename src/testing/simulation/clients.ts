import type { CallMessage, Reply } from "../../object/message.ts";
import { invocation } from "../platform-limits.ts";
import type { History, Sent } from "./history.ts";
import type { CallStep } from "./step.ts";
import type { Edge, World } from "./world.ts";

/** Sends what the steps say, and writes down what comes back. */
export class Clients {
  readonly #world: World;
  readonly #history: History;
  readonly #edges: Edge[] = [];
  #requests = 0;
  #isolates = 0;

  constructor(world: World, history: History) {
    this.#world = world;
    this.#history = history;
    for (let edge = 0; edge < 2; edge++) this.forget(edge);
  }

  edge(index: number): Edge {
    return this.#edges[index] as Edge;
  }

  /** The isolate at this edge is replaced: what it had learned of the map is gone, its calls go on. */
  forget(index: number): void {
    this.#edges[index] = this.#world.edge(`edge${index}-${this.#isolates++}`);
  }

  call(step: CallStep): void {
    this.#send(this.#history.begin(step), step.edge, step.timeout);
  }

  /** Sends a reliable call that was sent before once more. */
  again(pick: number, edge: number, timeout: number): void {
    const known = this.#history.sent.filter(({ reliable }) => reliable);
    const entry = known[pick % Math.max(1, known.length)];
    if (entry !== undefined) this.#send(entry, edge, timeout);
  }

  /** What the object holds at the end; undefined while nobody answers. */
  async list(object: string): Promise<Reply> {
    return this.edge(0).router.call({ ...this.#envelope(object, 20_000, 0), method: "list", request: '{"ms":0}' });
  }

  #send(entry: Sent, edge: number, timeout: number): void {
    const { router } = this.edge(edge);
    const { object, deed, token } = entry;
    const envelope = this.#envelope(object, timeout, edge);
    entry.copies++;
    this.#world.trace(`client ${token} ${deed} ${object}${entry.reliable ? " reliable" : ""}`);
    const reply = invocation(() =>
      deed === "delete"
        ? router.lifecycle({ ...envelope, action: "delete" })
        : router.call({
            ...envelope,
            method: deed,
            request: JSON.stringify(requestOf(entry)),
            ...reliableOf(entry, envelope),
          }),
    );
    void reply.then((answer) => {
      entry.replies.push({ moment: this.#history.moment(), reply: answer });
      this.#world.trace(`client ${token} <- ${describe(answer)}`);
    });
  }

  #envelope(id: string, timeout: number, edge: number) {
    const deadline = this.edge(edge).process.clock.now() + timeout;
    return {
      type: "SimulatedLedger",
      id,
      deadline,
      requestId: `r${this.#requests++}`,
      caller: { kind: "client" },
    } as const;
  }
}

function requestOf({ token, deed, to, step }: Sent): object {
  switch (deed) {
    case "add":
    case "remindMe":
      return { token, ms: step.ms };
    case "forward":
    case "send":
      return { token, to, ms: step.ms };
    case "ask":
      return { token, to };
    case "list":
      return { ms: step.ms };
    default:
      return { token };
  }
}

function reliableOf(
  { reliable, token, step }: Sent,
  { deadline }: { deadline: number },
): Pick<CallMessage, "reliable"> {
  if (!reliable) return {};
  const now = deadline - step.timeout;
  const expiresAt = step.expiresIn === undefined ? {} : { expiresAt: now + step.expiresIn };
  // A copy that comes later has another time.
  const notBefore = step.notBefore === undefined ? {} : { notBefore: now + step.notBefore };
  const answer = step.accepted || step.notBefore !== undefined ? "accepted" : "outcome";
  return { reliable: { callId: token, answer, ...expiresAt, ...notBefore } };
}

export function describe(reply: Reply): string {
  if (reply.kind === "response") return reply.response;
  if (reply.kind === "error")
    return `${reply.error.code}${reply.error.retryable ? " (retryable)" : ""} ${reply.error.message}`;
  return reply.kind;
}
