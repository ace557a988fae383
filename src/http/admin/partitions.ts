import * as z from "zod";
import { LOCATION_HINTS } from "../../config/location-hint.ts";
import type { MemberCommand, MemberView } from "../../coordinator/commands.ts";
import { isLabelName, MOST_LABEL_TEXT, MOST_LABELS } from "../../placement/labels.ts";
import type { Plan } from "../../placement/plan-types.ts";
import { NOTHING, readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { HttpContext, Route } from "../route.ts";
import { about, partitionName, partitionParams } from "../schemas.ts";
import { command, ORDERED } from "./coordinator.ts";
import { memberBody, memberSchema, noPartition, partitionSchema, partitionViews } from "./partition-view.ts";
import { DRY_PAGE, type DryRun, dryRunBody, isDryPage, planBody, planSchema } from "./plan.ts";

const weight = z
  .number()
  .positive()
  .max(1_000)
  .register(about, { description: "Twice the weight takes twice the shards" });
const LABEL_RULE = "letters, digits, _, - and ., at most 63, beginning with a letter or digit";

/** Not a `z.record`, which leaves a name such as `__proto__` out without a word. */
const labels = z
  .custom<Record<string, string>>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "must be an object of texts",
  )
  .superRefine((value, context) => {
    const issue = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    const entries = Object.entries(value);
    if (entries.length > MOST_LABELS) issue([], `must be at most ${MOST_LABELS} labels`);
    for (const [key, text] of entries.slice(0, MOST_LABELS)) {
      if (!isLabelName(key)) issue([], `has the label "${key.slice(0, 80)}", which must be ${LABEL_RULE}`);
      if (typeof text !== "string" || text.length > MOST_LABEL_TEXT)
        issue([key], `must be a text of at most ${MOST_LABEL_TEXT} characters`);
    }
  })
  .register(about, {
    type: "object",
    additionalProperties: { type: "string", maxLength: MOST_LABEL_TEXT },
    examples: [{ zone: "weur-1" }],
  });
const location = z.enum(LOCATION_HINTS);

const changed = {
  description: "The partition as it is now; of a dry run, the moves that would follow",
  schema: z.union([memberSchema, planSchema]),
};

/** `/admin/v1/partitions`: the members of the cluster. */
export function partitionRoutes(parts: HttpParts): Route[] {
  return [
    list(parts),
    read(parts),
    add(parts),
    change(parts),
    remove(parts),
    setState(parts, "drain"),
    setState(parts, "cordon"),
    setState(parts, "uncordon"),
  ];
}

/** `GET /admin/v1/partitions`: what each says of itself, or why it says nothing. */
function list(parts: HttpParts): Route {
  return {
    doc: {
      id: "listPartitions",
      tag: "partitions",
      method: "get",
      path: "/admin/v1/partitions",
      summary: "List the partitions, each with its load",
      answers: {
        200: {
          description: "The partitions, those that can't be reached among them",
          schema: z.object({ partitions: z.array(partitionSchema) }),
        },
      },
    },
    handle: async (context) => {
      await parts.router.refresh();
      const partitions = await partitionViews(parts, parts.router.map.partitions);
      return respond(JSON.stringify({ partitions }), context.requestId);
    },
  };
}

/** `GET /admin/v1/partitions/{partition}`. It asks no other: one that is silent does not hold up who watches a drain. */
function read(parts: HttpParts): Route {
  return {
    doc: {
      id: "getPartition",
      tag: "partitions",
      method: "get",
      path: "/admin/v1/partitions/{partition}",
      summary: "See one partition, with its load and the progress of its drain",
      params: partitionParams,
      answers: { 200: { description: "The partition", schema: partitionSchema } },
    },
    handle: async (context) => {
      const name = context.param("partition");
      await parts.router.refresh();
      const names = parts.router.map.partitions.filter((partition) => partition === name);
      const [found] = await partitionViews(parts, names);
      if (found === undefined) throw noPartition(name);
      return respond(JSON.stringify(found), context.requestId);
    },
  };
}

const addBody = z
  .strictObject({
    name: partitionName,
    weight: weight.default(1),
    labels: labels.default({}),
    location: location.optional(),
    ...dryRunBody,
  })
  .refine(isDryPage, DRY_PAGE);

/** `POST /admin/v1/partitions` ([MEM1]). */
function add(parts: HttpParts): Route {
  return {
    doc: {
      id: "addPartition",
      tag: "partitions",
      role: "admin",
      method: "post",
      path: "/admin/v1/partitions",
      summary: "Add a partition",
      body: addBody,
      answers: {
        200: { description: "A dry run: the moves that would follow", schema: planSchema },
        201: { description: "It was added", schema: memberSchema },
      },
      problems: ORDERED,
    },
    handle: async (context) => {
      const { limit, cursor, ...change } = await readChange(context, addBody);
      return changePartition(context, parts, { kind: "add-partition", ...change }, { limit, cursor }, 201);
    },
  };
}

const changeBody = z
  .strictObject({ weight: weight.optional(), labels: labels.optional(), ...dryRunBody })
  .refine((body) => body.weight !== undefined || body.labels !== undefined, "must change weight or labels")
  .refine(isDryPage, DRY_PAGE);

/** `PATCH /admin/v1/partitions/{partition}` ([MEM1]). Labels given replace those it had. */
function change(parts: HttpParts): Route {
  return {
    doc: {
      id: "changePartition",
      tag: "partitions",
      method: "patch",
      path: "/admin/v1/partitions/{partition}",
      summary: "Change a partition's weight or labels",
      params: partitionParams,
      body: changeBody,
      answers: { 200: changed },
      problems: ORDERED,
    },
    handle: async (context) => {
      const { limit, cursor, ...change } = await readChange(context, changeBody);
      const name = context.param("partition");
      return changePartition(context, parts, { kind: "change-partition", name, ...change }, { limit, cursor });
    },
  };
}

const stateBody = z.strictObject(dryRunBody).refine(isDryPage, DRY_PAGE);
const SUMMARIES = {
  drain: "Move every shard away from a partition",
  cordon: "Give a partition no more shards",
  uncordon: "Take a partition back into use",
};

/** `POST /admin/v1/partitions/{partition}/drain`, `…/cordon` and `…/uncordon` ([MEM1]). */
function setState(parts: HttpParts, kind: keyof typeof SUMMARIES): Route {
  return {
    doc: {
      id: `${kind}Partition`,
      tag: "partitions",
      method: "post",
      path: `/admin/v1/partitions/{partition}/${kind}`,
      summary: SUMMARIES[kind],
      params: partitionParams,
      body: stateBody,
      answers: { 200: changed },
      problems: ORDERED,
    },
    handle: async (context) => {
      const { dryRun, limit, cursor } = await readChange(context, stateBody);
      const name = context.param("partition");
      return changePartition(context, parts, { kind, name, dryRun }, { limit, cursor });
    },
  };
}

/** `DELETE /admin/v1/partitions/{partition}` ([MEM1]). */
function remove(parts: HttpParts): Route {
  return {
    doc: {
      id: "removePartition",
      tag: "partitions",
      role: "admin",
      method: "delete",
      path: "/admin/v1/partitions/{partition}",
      summary: "Remove a drained partition",
      params: partitionParams,
      answers: {
        200: { description: "It was removed", schema: z.object({ removed: z.literal(true), name: z.string() }) },
      },
      problems: ORDERED,
    },
    handle: async (context) => {
      const { requestId } = context;
      const name = context.param("partition");
      await readChange(context, NOTHING);
      await command(parts, { kind: "remove-partition", name }, context);
      return respond(JSON.stringify({ removed: true, name }), requestId);
    },
  };
}

/** Changes a partition, and answers with it as it is then; a dry run with the plan for it as it would be ([MEM1]). */
async function changePartition(
  context: HttpContext,
  parts: HttpParts,
  order: MemberCommand,
  page: Omit<DryRun, "dryRun">,
  status = 200,
): Promise<Response> {
  const result = await command<MemberView | Plan>(parts, order, context);
  const { requestId } = context;
  if ("moves" in result) return respond(JSON.stringify(planBody(result, { dryRun: true, ...page })), requestId);
  return respond(JSON.stringify(memberBody(result)), requestId, status);
}
