import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { describeRoute } from "../describe-route.ts";
import { partitionSchema, partitionViews } from "../partition-views.ts";
import type { EdgeParts } from "../ports.ts";
import { respond } from "../respond.ts";
import { param, type Route } from "../route.ts";
import { partitionParams } from "../schemas.ts";

/** `GET /admin/v1/partitions/{p}`. It asks no other: one that is silent does not hold up who watches a drain. */
export function partitionRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "get",
      path: "/admin/v1/partitions/{p}",
      summary: "One partition, with its load and the progress of its drain",
      params: partitionParams,
      answers: { 200: partitionSchema },
    }),
    handle: async (context) => {
      const name = param(context, "p");
      await parts.router.refresh();
      const names = parts.router.map.partitions.filter((partition) => partition === name);
      const [found] = await partitionViews(parts, names);
      if (found === undefined) throw new EdgeverseError("NOT_FOUND", `There is no partition "${name.slice(0, 80)}"`);
      return respond(JSON.stringify(found), context.env.requestId);
    },
  };
}
