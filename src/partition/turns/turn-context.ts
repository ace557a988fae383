import type { CallContext, Caller, CallInfo } from "../../object/call.ts";
import { freezeJson } from "../../object/json.ts";

/** What a method sees of its call. What it calls goes on with the same identity and cause, so nothing it does may change them. */
export function contextOf(info: CallInfo, deadline: number): CallContext {
  const { identity, ...caller } = info.caller;
  if (identity !== undefined) freezeJson(identity);
  if (caller.cause !== undefined) freezeJson(caller.cause);
  return { ...info, caller, deadline, identity };
}

/**
 * An object as those that it calls see it: it acts for whom its own caller acts ([ACC2]), and during the reliable call that its
 * turn is part of ([CALL16]).
 */
export function asCaller(type: string, id: string, { caller, callId }: Pick<CallInfo, "caller" | "callId">): Caller {
  const { identity } = caller;
  const cause = callId === undefined ? caller.cause : { type, id, callId };
  return {
    kind: "object",
    type,
    id,
    ...(identity === undefined ? {} : { identity }),
    ...(cause === undefined ? {} : { cause }),
  };
}
