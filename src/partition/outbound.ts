import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { placementOf } from "../identity/object-id.ts";
import type { CallOptions } from "../object/call.ts";
import { parseJson } from "../object/json.ts";
import { type CallMessage, objectKey, type Reply } from "../object/message.ts";
import type { MethodDefinition, Registry, TypeDefinition } from "../object/registry.ts";
import type { Cell } from "./cell.ts";
import type { GroupCommit } from "./group-commit.ts";
import { copyRequest, encodeCopy, methodPlan, parseRequest } from "./method-plan.ts";
import type { Peers } from "./ports.ts";
import type { Turn } from "./turn.ts";
import type { TurnEngine } from "./turn-engine.ts";

export interface OutboundParts {
  readonly registry: Registry;
  readonly peers: Peers;
  readonly commit: GroupCommit;
  readonly engine: () => TurnEngine;
  readonly now: () => number;
  readonly config: { readonly callTimeout: number; readonly maxMessage: number };
  /** The cell of an object this partition owns; undefined when another one does. */
  cell(definition: TypeDefinition, id: string): Cell | undefined;
  /** Takes a reliable call of an own object. */
  reliable(message: CallMessage): Promise<Reply>;
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
    this.#encode = encodeCopy(parts.config.maxMessage);
  }

  /** The stub that `this.object(Type, id, options)` gives a method. */
  stub(turn: Turn, type: string, id: string, options: CallOptions): object {
    const definition = this.#parts.registry.type(type);
    placementOf(id);
    return definition.makeStub((name, request) => {
      if (turn.status !== "running") return Promise.reject(turn.services.over(turn));
      const method = this.#parts.registry.method(definition, name);
      const key = objectKey(type, id);
      turn.awaiting(key, 1);
      return this.#call(turn, definition, id, method, request, options).finally(() => turn.awaiting(key, -1));
    });
  }

  #call(
    turn: Turn,
    definition: TypeDefinition,
    id: string,
    method: MethodDefinition,
    request: unknown,
    options: CallOptions,
  ): Promise<unknown> {
    try {
      const timeout = options.timeout ?? method.timeout ?? this.#parts.config.callTimeout;
      const deadline = Math.min(turn.call.deadline, this.#parts.now() + timeout);
      const copy = copyRequest(request, this.#parts.config.maxMessage);
      const cell = this.#parts.cell(definition, id);
      if (cell !== undefined && options.callId === undefined)
        return this.#neighbour(turn, cell, method, copy, deadline);
      const message = messageOf(turn, definition, id, method, copy, deadline, options, this.#parts.now());
      return this.#send(message, cell !== undefined);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #neighbour(turn: Turn, cell: Cell, method: MethodDefinition, request: unknown, deadline: number): Promise<unknown> {
    const parsed = parseRequest(method, request);
    return new Promise((resolve, reject) => {
      const plan = methodPlan(method, parsed, {
        info: {
          caller: callerOf(turn),
          deadline,
          callId: undefined,
          requestId: turn.call.requestId,
          traceparent: turn.call.traceparent,
        },
        parent: turn,
        encode: this.#encode,
        finish: (outcome) => (outcome.ok ? resolve(outcome.value) : reject(outcome.error)),
      });
      this.#parts.engine().submit(cell, plan);
    });
  }

  async #send(message: CallMessage, own: boolean): Promise<unknown> {
    let reply: Reply;
    if (own) reply = await this.#parts.reliable(message);
    else {
      await this.#parts.commit.durable();
      reply = await this.#parts.peers.call(message);
    }
    switch (reply.kind) {
      case "response":
        return parseJson(reply.response);
      case "error":
        throw EdgeverseError.from(reply.error);
      default:
        throw new EdgeverseError("UNAVAILABLE", `Cannot reach ${objectKey(message.type, message.id)}: it is moving`);
    }
  }
}

function callerOf(turn: Turn): CallMessage["caller"] {
  const { identity } = turn.call.caller;
  const caller = { kind: "object", type: turn.cell.definition.type, id: turn.cell.id } as const;
  return identity === undefined ? caller : { ...caller, identity };
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
  return {
    type: definition.type,
    id,
    method: method.name,
    deadline,
    requestId: turn.call.requestId,
    caller: callerOf(turn),
    chain: turn.outgoingChain(),
    ...(request === undefined ? {} : { request: JSON.stringify(request) }),
    ...(turn.call.traceparent === undefined ? {} : { traceparent: turn.call.traceparent }),
    ...(options.callId === undefined
      ? {}
      : {
          reliable: {
            callId: options.callId,
            answer: "outcome",
            ...(options.log === undefined ? {} : { log: options.log }),
            ...(options.expiresIn === undefined ? {} : { expiresAt: now + options.expiresIn }),
          },
        }),
  };
}
