import { z } from "@hono/zod-openapi";
import type { MemberCommand, MemberView } from "../coordinator/commands.ts";
import type { Plan } from "../placement/plan-types.ts";
import { command } from "./ask-coordinator.ts";
import { memberBody, memberSchema, planSchema } from "./movement-schemas.ts";
import type { EdgeParts } from "./ports.ts";
import { respond } from "./respond.ts";
import type { EdgeContext } from "./route.ts";

export const dryRun = z
  .boolean()
  .default(false)
  .openapi({ description: "Change nothing, and answer with the moves that would follow" });
export const memberOrPlan = z.union([memberSchema, planSchema]);

/** Changes a partition, and answers with it as it is then; a dry run with the plan for it as it would be ([MEM1]). */
export async function changePartition(
  { env: { requestId } }: EdgeContext,
  parts: EdgeParts,
  order: MemberCommand,
  status = 200,
): Promise<Response> {
  const result = await command<MemberView | Plan>(parts, order, requestId);
  if ("moves" in result) return respond(JSON.stringify(result), requestId);
  return respond(JSON.stringify(memberBody(result)), requestId, status);
}
