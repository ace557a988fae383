import { z } from "@hono/zod-openapi";
import { changePartition, dryRun, memberOrPlan } from "../change-partition.ts";
import { describeRoute } from "../describe-route.ts";
import { labels, weight } from "../movement-schemas.ts";
import type { EdgeParts } from "../ports.ts";
import { readChange } from "../read-change.ts";
import { param, type Route } from "../route.ts";
import { partitionParams } from "../schemas.ts";

const bodySchema = z
  .strictObject({ weight: weight.optional(), labels: labels.optional(), dryRun })
  .refine((body) => body.weight !== undefined || body.labels !== undefined, "must change weight or labels");

/** `PATCH /admin/v1/partitions/{p}` ([MEM1]). Labels given replace those it had. */
export function changePartitionRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "patch",
      path: "/admin/v1/partitions/{p}",
      summary: "Change a partition's weight or labels",
      params: partitionParams,
      body: bodySchema,
      answers: { 200: memberOrPlan },
    }),
    handle: async (context) => {
      const change = await readChange(context, parts, bodySchema);
      return changePartition(context, parts, { kind: "change-partition", name: param(context, "p"), ...change });
    },
  };
}
