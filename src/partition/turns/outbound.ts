import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CallOptions } from "../../object/call.ts";
import { bytesOfLastCopy, parseJson } from "../../object/json.ts";
import { type CallMessage, objectKey, type Reply } from "../../object/message.ts";
import { checkCallOptions, copyRequest, reliableOptions } from "../../object/outgoing-call.ts";
import type { MethodDefinition, Registry, TypeDefinition } from "../../object/registry.ts";
import { parseRequest } from "../../object/request.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import { readable } from "../storage/refusal.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { encodeCopy, methodPlan } from "./method-plan.ts";
import { RELEASED } from "./outcome.ts";
import type { Peers } from "./ports.ts";
import type { Turn, TurnActivation } from "./turn.ts";
import { outgoingChain } from "./turn-chain.ts";
import type { TurnEngine } from "./turn-engine.ts";

export interface OutboundParts {
  readonly registry: Registry;
  readonly peers: Peers;
  readonly commit: GroupCommit;
  readonly memory: MemoryBudget;
  readonly engine: () => TurnEngine;
  readonly now: () => number;
  readonly config: { readonly callTimeout: number; readonly maxMessage: number };
  /** The activation of an object of this partition that `turn` may call at once; undefined when it must go by message. */
  activation(turn: Turn, definition: TypeDefinition, id: string): TurnActivation | undefined;
  /** Takes a call as if it came from outside; answers `moved` when the object is another partition's. */
  local(message: CallMessage): Promise<Reply>;
}

/**
 * Calls that a turn makes to other objects. A neighbour in the same partition is called in place: a copy of the request, a
 * turn, a copy of the response, no message. Anything that leaves the partition waits first for the commit of whatever the
 * turn may have read.
 */
export class Outbound {
  readonly #parts: OutboundParts;
  readonly #encode: (value: unknown) => unknown;

  constructor(parts: OutboundParts) {
    this.#parts = parts;
    this.#encode = encodeCopy(() => parts.config.maxMessage);
  }

  /** The stub that `this.object(Type, id, options)` gives a method. */
  stub(turn: Turn, type: string, id: string, options: CallOptions): object {
    const definition = this.#parts.registry.type(type);
    this.#parts.registry.placement(type, id);
    checkCallOptions(options);
    return definition.makeStub((name, request) => {
      try {
        if (turn.status !== "running") throw turn.services.over(turn);
        // What it does to others stands: the turn can't begin again.
        turn.fresh = false;
        if (turn.transaction !== undefined) turn.transaction.yields = false;
        const method = this.#parts.registry.methodFor(turn.asCaller, definition, id, name);
        return this.#call(turn, definition, id, method, request, options);
      } catch (error) {
        return Promise.reject(error);
      }
    });
  }

  /** A call that `turn` makes of an object that it has taken: it runs inside the turn that holds the object. */
  inside(held: Turn, turn: Turn, method: MethodDefinition, request: unknown): Promise<unknown> {
    const { copy, weight } = this.#copied(request);
    const again = () => Promise.reject(turn.services.over(turn));
    return this.#neighbour(
      turn,
      held.activation,
      method,
      { request: copy, weight },
      this.#deadline(turn, method),
      again,
      held,
    );
  }

  #copied(request: unknown): { readonly copy: unknown; readonly weight: number } {
    const copy = copyRequest(request, this.#parts.config.maxMessage);
    return { copy, weight: request === undefined ? 0 : 2 * bytesOfLastCopy() };
  }

  #deadline(turn: Turn, method: MethodDefinition, timeout?: number): number {
    return Math.min(turn.deadline, this.#parts.now() + (timeout ?? method.timeout ?? this.#parts.config.callTimeout));
  }

  #call(
    turn: Turn,
    definition: TypeDefinition,
    id: string,
    method: MethodDefinition,
    request: unknown,
    options: CallOptions,
  ): Promise<unknown> {
    const deadline = this.#deadline(turn, method, options.timeout);
    const { copy, weight } = this.#copied(request);
    const activation = readable(() => this.#parts.activation(turn, definition, id));
    const send = () => {
      const message = messageOf(turn, definition, id, method, copy, deadline, options, this.#parts.now());
      return this.#send(turn, message, method);
    };
    if (activation === undefined || options.callId !== undefined) return send();
    this.#parts.commit.link(turn.activation, activation);
    return this.#neighbour(turn, activation, method, { request: copy, weight }, deadline, send);
  }

  #neighbour(
    turn: Turn,
    activation: TurnActivation,
    method: MethodDefinition,
    { request, weight }: { readonly request: unknown; readonly weight: number },
    deadline: number,
    again: () => Promise<unknown>,
    inside?: Turn,
  ): Promise<unknown> {
    const { commit, memory } = this.#parts;
    const parsed = parseRequest(method, request);
    memory.hold(weight);
    return new Promise((resolve, reject) => {
      const plan = methodPlan(method, parsed, {
        info: {
          caller: turn.asCaller,
          deadline,
          callId: undefined,
          requestId: turn.context.requestId,
          traceparent: turn.context.traceparent,
        },
        parent: turn,
        inside,
        encode: this.#encode,
        finish: (outcome) => {
          memory.free(weight);
          commit.link(turn.activation, activation);
          if (outcome.ok) resolve(outcome.value);
          else if (outcome.error === RELEASED) resolve(again());
          else reject(outcome.error);
        },
      });
      this.#parts.engine().submit(activation, plan);
    });
  }

  async #send(turn: Turn, message: CallMessage, method: MethodDefinition): Promise<unknown> {
    const key = objectKey(message.type, message.id);
    const readonly = method.readonly && message.reliable === undefined;
    const { commit, local, peers } = this.#parts;
    const seenIsDurable = async () => {
      await commit.durable(turn.activation);
      if (turn.status !== "running") throw turn.base.refusal ?? turn.services.over(turn);
    };
    // It tells of what the turn has seen: nobody is to hear of what is never committed.
    if (!commit.isSettled(turn.activation)) await seenIsDurable();
    const answered = this.#parts.engine().waits.sent({ turn, key, readonly });
    let reply: Reply;
    try {
      reply = await local(message);
      if (reply.kind === "moved") {
        await seenIsDurable();
        reply = await peers.call(message);
      }
    } finally {
      answered();
    }
    switch (reply.kind) {
      case "response":
        return parseJson(reply.response);
      case "error":
        throw EdgeverseError.from(reply.error);
      default:
        throw new EdgeverseError("UNAVAILABLE", `Cannot reach ${key}: it is moving`);
    }
  }
}

function messageOf(
  turn: Turn,
  definition: TypeDefinition,
  id: string,
  method: MethodDefinition,
  request: unknown,
  deadline: number,
  options: CallOptions,
  now: number,
): CallMessage {
  const reliable = reliableOptions(options, now);
  return {
    type: definition.type,
    id,
    method: method.name,
    deadline,
    requestId: turn.context.requestId,
    caller: turn.asCaller,
    chain: outgoingChain(turn),
    ...(request === undefined ? {} : { request: JSON.stringify(request) }),
    ...(turn.context.traceparent === undefined ? {} : { traceparent: turn.context.traceparent }),
    ...(reliable === undefined ? {} : { reliable }),
  };
}
