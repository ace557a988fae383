import type { CallOptions } from "../object/call.ts";
import type { CallMessage } from "../object/message.ts";
import { reliableOptions } from "../object/outgoing-call.ts";

/** Options of a call by the names of type and method. */
export interface TestCall extends CallOptions {
  readonly answer?: "outcome" | "accepted";
  /** It is an anonymous client's, and not the test's own. */
  readonly client?: true;
}

/** The call that is sent: type, id, method and request, which may be unfit. */
export type NamedCall = readonly [type: string, id: string, method: string, request?: unknown, options?: TestCall];

/** @param envelope what else the message needs */
export function testMessage(
  [type, id, method, request, { answer, client, ...options } = {}]: NamedCall,
  { now, timeout, requestId }: { readonly now: number; readonly timeout: number; readonly requestId: string },
): CallMessage {
  const reliable = reliableOptions(options, now);
  return {
    type,
    id,
    method,
    requestId,
    caller: { kind: client === true ? "client" : "worker" },
    deadline: now + (options.timeout ?? timeout),
    ...(request === undefined ? {} : { request: JSON.stringify(request) }),
    ...(reliable === undefined ? {} : { reliable: answer === undefined ? reliable : { ...reliable, answer } }),
  };
}
