import type { TurnActivation, TurnPlan } from "./turn.ts";

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
