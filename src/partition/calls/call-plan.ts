import { methodPlan } from "../turns/method-plan.ts";
import type { Outcome } from "../turns/outcome.ts";
import type { Entry } from "./call-entry.ts";
import type { ReliableCallParts } from "./reliable-call-parts.ts";

/** The turn of a reliable call. Its timeout begins when it runs. */
export function planOf(
  { config, encode }: Pick<ReliableCallParts, "config" | "encode">,
  { stored: { record }, method, caller, requestId, traceparent, chain }: Entry,
  request: unknown,
  finish: (outcome: Outcome) => void,
) {
  return methodPlan(method, request, {
    info: {
      caller,
      deadline: record.expiresAt ?? Number.POSITIVE_INFINITY,
      callId: record.callId,
      requestId,
      traceparent,
    },
    timeout: method.timeout ?? config.callTimeout,
    admitted: true,
    chain,
    encode,
    finish,
  });
}
