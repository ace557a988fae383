import { z } from "@hono/zod-openapi";
import { changePartition, dryRun } from "../change-partition.ts";
import { describeRoute } from "../describe-route.ts";
import { labels, location, memberSchema, partitionName, planSchema, weight } from "../movement-schemas.ts";
import type { EdgeParts } from "../ports.ts";
import { readChange } from "../read-change.ts";
import type { Route } from "../route.ts";

const bodySchema = z.strictObject({
  name: partitionName,
  weight: weight.default(1),
  labels: labels.default({}),
  location: location.optional(),
  dryRun,
});

/** `POST /admin/v1/partitions` ([MEM1]). */
export function addPartitionRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "post",
      path: "/admin/v1/partitions",
      summary: "Add a partition",
      body: bodySchema,
      answers: { 200: planSchema, 201: memberSchema },
    }),
    handle: async (context) => {
      const body = await readChange(context, parts, bodySchema);
      return changePartition(context, parts, { kind: "add-partition", ...body }, 201);
    },
  };
}
