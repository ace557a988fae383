import type { FinalReply } from "../../../object/message.ts";
import { invocation } from "../../platform-limits.ts";
import type { Clients } from "../clients.ts";
import type { World } from "../world.ts";
import type { SayStep } from "./push-step.ts";
import { ROOM } from "./room.ts";

/** A call that has a room send something, and what came of it. */
export interface Said {
  readonly token: string;
  readonly step: SayStep;
  /** What it is to send, by addressee. */
  readonly to: readonly string[];
  /** When it was first sent. */
  readonly invoked: number;
  /** Undefined while it is under way. */
  outcome: { readonly kind: "done"; readonly said: number } | { readonly kind: "failed" | "unknown" } | undefined;
}

/** Ms until a reliable call is sent again. */
export const AGAIN = 400;

/** What a call of a room asks for. */
export function requestOf({ token, step, to }: Said): object {
  const { size, ms, fails } = step;
  return { token, to, size, ms, fails };
}

/** Calls of rooms, of edges and of listeners. */
export class Says {
  readonly all: Said[] = [];
  readonly #world: World;
  readonly #clients: Clients;

  constructor(world: World, clients: Clients) {
    this.#world = world;
    this.#clients = clients;
  }

  /** @param clients the clients that listeners are now, by their numbers */
  begin(step: SayStep, clients: readonly (string | undefined)[]): Said {
    const to = step.to.map((each) => (typeof each === "number" ? (clients[each] ?? "all") : each));
    const said: Said = { token: `s${this.all.length}`, step, to, invoked: this.#world.time.now, outcome: undefined };
    this.all.push(said);
    return said;
  }

  /** Calls by way of an edge. */
  byEdge(said: Said, index: number): void {
    const { process, router } = this.#clients.edge(index);
    const { reliable, timeout, object: id } = said.step;
    const reply = invocation(() =>
      router.call({
        type: ROOM,
        id,
        method: "say",
        request: JSON.stringify(requestOf(said)),
        deadline: process.clock.now() + timeout,
        requestId: said.token,
        caller: { kind: "client" },
        ...(reliable ? { reliable: { callId: said.token, answer: "outcome" } } : {}),
      }),
    );
    void reply.then((answer) => {
      this.#world.trace(`${said.token} <- ${answer.kind}`);
      const again = answer.kind === "error" && answer.error.retryable && reliable;
      if (again) this.#world.time.after(AGAIN, () => this.byEdge(said, index));
      else settle(said, answer);
    });
  }
}

function settle(said: Said, answer: FinalReply): void {
  said.outcome =
    answer.kind === "response"
      ? { kind: "done", said: (JSON.parse(answer.response) as { said: number }).said }
      : { kind: "failed" };
}
