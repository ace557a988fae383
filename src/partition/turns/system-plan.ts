import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { TurnActivation, TurnPlan } from "./turn.ts";

/** A storage error is not the method's fault: the call may be tried again. */
export function readable<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof EdgeverseError) throw error;
    throw new EdgeverseError("UNAVAILABLE", "The partition can't use its storage", { cause: error });
  }
}

/** A turn that nobody called for. */
export function systemPlan(
  kind: "create" | "deactivate",
  activation: TurnActivation,
  deadline: number,
  run: TurnPlan["run"],
  finish: () => void,
): TurnPlan {
  const requestId = `${kind} ${activation.key}`;
  return {
    kind,
    readonly: false,
    info: { caller: { kind: "system" }, deadline, callId: undefined, requestId, traceparent: undefined },
    async: true,
    admitted: true,
    run,
    encode: () => undefined,
    finish,
  };
}
