import * as z from "zod";
import { type Explanation, explain } from "../../access/explain.ts";
import { checkIdentity } from "../../access/identity.ts";
import type { Caller } from "../../object/call.ts";
import { readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, count, jsonValue, objectId, typeName } from "../schemas.ts";

export const identitySchema = z.strictObject({
  id: z.string(),
  roles: z.array(z.string()),
  claims: z.record(z.string(), jsonValue).optional(),
});
const bodySchema = z
  .strictObject({
    type: typeName,
    id: objectId,
    method: z.string().optional(),
    lifecycle: z.enum(["CREATE", "DELETE", "QUERY"]).optional(),
    watch: z.literal(true).optional().register(about, { description: "Live state" }),
    caller: z
      .enum(["client", "object", "worker"])
      .default("client")
      .register(about, { description: "`worker` is the Worker's own code" }),
    identity: identitySchema.optional().register(about, { description: "Without it a client is anonymous" }),
  })
  .refine(
    ({ method, lifecycle, watch }) => [method, lifecycle, watch].filter((one) => one !== undefined).length === 1,
    {
      message: "it needs one of method, lifecycle and watch",
    },
  )
  .register(about, {
    examples: [{ type: "Wallet", id: "ann", method: "deposit", identity: { id: "ann", roles: ["player"] } }],
  });

const ACTIONS = { CREATE: "create", DELETE: "delete", QUERY: "query" } as const;

const answerSchema = z.object({
  allowed: z.boolean(),
  code: z.enum(["ACCESS_DENIED", "UNAUTHENTICATED"]).optional(),
  reason: z.string().optional(),
  rule: z.object({
    from: z.enum(["document", "rule", "method", "class", "default"]).register(about, {
      description: "A rule of the live settings, of the host's code, the method, its class, or none of these",
    }),
    index: count.optional().register(about, { description: "Which of the rules there, from 0" }),
    clients: z.string().nullable().register(about, { description: "Which clients it lets in; null: none" }),
    internal: z.boolean().register(about, { description: "Whether it lets in objects and the Worker's own code" }),
  }),
});

/** `POST /admin/v1/access/explain`: may this one do that, and what decides it. It asks nobody: the answer is of the rules that this process has. */
export function explainAccessRoute({ registry }: Pick<HttpParts, "registry">): Route {
  return {
    doc: {
      id: "explainAccess",
      tag: "cluster",
      role: "viewer",
      method: "post",
      path: "/admin/v1/access/explain",
      summary: "See whether a call is allowed, and which rule decides",
      body: bodySchema,
      answers: { 200: { description: "The decision", schema: answerSchema } },
      problems: ["INVALID_ID", "TYPE_NOT_FOUND", "METHOD_NOT_FOUND"],
    },
    handle: async (context) => {
      const { type, id, method, lifecycle, watch, caller: kind, identity } = await readChange(context, bodySchema);
      const caller: Caller = { kind, ...(identity === undefined ? {} : { identity: checkIdentity(identity) }) };
      const definition = registry.type(type);
      registry.placement(type, id);
      const steps =
        watch === true
          ? definition.access.watch
          : method === undefined
            ? definition.access[ACTIONS[lifecycle as keyof typeof ACTIONS]]
            : registry.visible(caller, definition, method).access;
      const explanation: Explanation = explain(steps, caller, id);
      return respond(JSON.stringify(explanation), context.requestId);
    },
  };
}
