import { z } from "@hono/zod-openapi";
import { changePartition, dryRun, memberOrPlan } from "../change-partition.ts";
import { describeRoute } from "../describe-route.ts";
import type { EdgeParts } from "../ports.ts";
import { readChange } from "../read-change.ts";
import { param, type Route } from "../route.ts";
import { partitionParams } from "../schemas.ts";

const bodySchema = z.strictObject({ dryRun });
const SUMMARIES = {
  drain: "Move every shard away from a partition",
  cordon: "Give a partition no more shards",
  uncordon: "Take a partition back into use",
};

/** `POST /admin/v1/partitions/{p}/drain`, `…/cordon` and `…/uncordon` ([MEM1]). */
export function partitionStateRoute(parts: EdgeParts, kind: keyof typeof SUMMARIES): Route {
  return {
    doc: describeRoute({
      method: "post",
      path: `/admin/v1/partitions/{p}/${kind}`,
      summary: SUMMARIES[kind],
      params: partitionParams,
      body: bodySchema,
      answers: { 200: memberOrPlan },
    }),
    handle: async (context) => {
      const body = await readChange(context, parts, bodySchema);
      return changePartition(context, parts, { kind, name: param(context, "p"), ...body });
    },
  };
}
