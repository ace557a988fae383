import type { CallMessage, Reply } from "../src/object/message.ts";
import type { PartitionClient } from "../src/router/ports.ts";

/**
 * A call as RPC carries it. Names of members are sent with every message, so the usual call, a client's plain one, goes
 * without: it costs a fifth less. `rest` is there when the call has anything else.
 */
export type WireCall = [
  type: string,
  id: string,
  method: string,
  deadline: number,
  requestId: string,
  request?: string | undefined,
  rest?: Pick<CallMessage, "traceparent" | "caller" | "chain" | "reliable"> | undefined,
];

/** A reply as RPC carries it: the JSON text of a plain response, or what else there is. */
export type WireReply = string | Reply;

/** What the Durable Object of a partition offers over RPC. */
export interface PartitionRpc extends Omit<PartitionClient, "call"> {
  call(...call: WireCall): Promise<WireReply>;
}

const CLIENT = { kind: "client" } as const;

export function callToWire(message: CallMessage): WireCall {
  const { type, id, method, deadline, requestId, request, traceparent, caller, chain, reliable } = message;
  const plain =
    traceparent === undefined &&
    chain === undefined &&
    reliable === undefined &&
    caller.kind === "client" &&
    caller.identity === undefined;
  if (plain) return [type, id, method, deadline, requestId, request];
  return [type, id, method, deadline, requestId, request, restOf(message)];
}

function restOf({ traceparent, caller, chain, reliable }: CallMessage): WireCall[6] {
  return {
    caller,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(chain === undefined ? {} : { chain }),
    ...(reliable === undefined ? {} : { reliable }),
  };
}

export function callFromWire([type, id, method, deadline, requestId, request, rest]: WireCall): CallMessage {
  const message: CallMessage =
    request === undefined
      ? { type, id, method, deadline, requestId, caller: CLIENT }
      : { type, id, method, deadline, requestId, caller: CLIENT, request };
  return rest === undefined ? message : { ...message, ...rest };
}

export function replyToWire(reply: Reply): WireReply {
  return reply.kind === "response" && reply.replayed === undefined ? reply.response : reply;
}

export function replyFromWire(reply: WireReply): Reply {
  return typeof reply === "string" ? { kind: "response", response: reply } : reply;
}
