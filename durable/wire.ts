import type { CallMessage, Reply } from "../src/object/message.ts";
import type { PartitionClient, Told } from "../src/router/ports.ts";

/**
 * A call as RPC carries it. Names of members are sent with every message, so the usual call, a client's without options,
 * goes without: it costs a fifth less. `rest` is the call id when it is a reliable one, and what else there is otherwise.
 */
export type WireCall = [
  type: string,
  id: string,
  method: string,
  deadline: number,
  requestId: string,
  /** The greatest number of settings that the caller has seen. */
  settings: number,
  request?: string | undefined,
  rest?: string | Rest | undefined,
];

type Rest = Pick<CallMessage, "traceparent" | "caller" | "chain" | "reliable" | "ticket">;

/** A reply as RPC carries it: the JSON text of a plain response, or what else there is. */
export type WireReply = string | Told<Reply>;

/** What the Durable Object of a partition offers over RPC. */
export interface PartitionRpc extends Omit<PartitionClient, "call"> {
  call(...call: WireCall): Promise<WireReply>;
}

const CLIENT = { kind: "client" } as const;

export function callToWire(message: CallMessage, settings = 0): WireCall {
  const { type, id, method, deadline, requestId, request, reliable } = message;
  if (!isUsual(message)) return [type, id, method, deadline, requestId, settings, request, restOf(message)];
  if (reliable === undefined) return [type, id, method, deadline, requestId, settings, request];
  return [type, id, method, deadline, requestId, settings, request, reliable.callId];
}

/** Whether the usual caller calls without options, but for a call id. */
function isUsual({ traceparent, chain, caller, reliable, ticket }: CallMessage): boolean {
  if (traceparent !== undefined || chain !== undefined || ticket !== undefined) return false;
  if (caller.kind !== "client" || caller.identity !== undefined) return false;
  if (reliable === undefined) return true;
  return reliable.answer === "outcome" && reliable.log === undefined && reliable.expiresAt === undefined;
}

function restOf({ traceparent, caller, chain, reliable, ticket }: CallMessage): Rest {
  return {
    caller,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(chain === undefined ? {} : { chain }),
    ...(ticket === undefined ? {} : { ticket }),
    ...(reliable === undefined ? {} : { reliable }),
  };
}

export function callFromWire([type, id, method, deadline, requestId, _, request, rest]: WireCall): CallMessage {
  const message: CallMessage =
    request === undefined
      ? { type, id, method, deadline, requestId, caller: CLIENT }
      : { type, id, method, deadline, requestId, caller: CLIENT, request };
  if (rest === undefined) return message;
  if (typeof rest === "string") return { ...message, reliable: { callId: rest, answer: "outcome" } };
  return { ...message, ...rest };
}

/** The greatest number of settings that the caller of a call has seen. */
export function settingsOfWire(call: WireCall): number {
  return call[5];
}

export function replyToWire(reply: Told<Reply>): WireReply {
  const bare = reply.kind === "response" && reply.replayed === undefined && reply.settings === undefined;
  return bare ? reply.response : reply;
}

export function replyFromWire(reply: WireReply): Told<Reply> {
  return typeof reply === "string" ? { kind: "response", response: reply } : reply;
}
