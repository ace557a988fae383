import type { CallCommand, EventCommand } from "../../coordinator/commands.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { HttpParts } from "../ports.ts";
import type { HttpContext } from "../route.ts";
import { askCoordinator, operatorOf } from "./coordinator.ts";

/** Does what an operator has decided, and leaves a row of it in the audit. What was done stands, whether it can be noted or not. */
export async function audited<Result>(
  parts: HttpParts,
  command: CallCommand | EventCommand,
  context: HttpContext,
  action: () => Promise<Result>,
): Promise<Result> {
  try {
    const result = await action();
    await note(parts, command, context, "done");
    return result;
  } catch (error) {
    await note(parts, command, context, EdgeverseError.from(error).code);
    throw error;
  }
}

async function note(
  parts: HttpParts,
  command: CallCommand | EventCommand,
  context: HttpContext,
  outcome: string,
): Promise<void> {
  const operator = operatorOf(context);
  try {
    await askCoordinator(parts, (coordinator) => coordinator.auditCall(command, operator, outcome));
  } catch (error) {
    parts.onError(error, { requestId: context.requestId });
  }
}
