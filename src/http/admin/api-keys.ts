import * as z from "zod";
import { newApiKey } from "../../access/api-key.ts";
import { checkIdentity } from "../../access/identity.ts";
import { parseDuration } from "../../config/duration.ts";
import type { ApiKeyView, KeyKeeper } from "../../coordinator/api-keys.ts";
import type { AdminResult } from "../../coordinator/commands.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { readCursor } from "../../router/cursor.ts";
import { NOTHING, parseQuery, readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, moment } from "../schemas.ts";
import { identitySchema } from "./access.ts";
import { askCoordinator, operatorOf } from "./coordinator.ts";
import { cursorAfter, numberPlace, pageAnswer, pageQuery } from "./page.ts";

const bodySchema = z
  .strictObject({
    identity: identitySchema.register(about, {
      description: "For whom the key speaks. Its roles are what the key may",
    }),
    name: z.string().max(200).default("").register(about, { description: "What it is for, for operators" }),
    expiresIn: z
      .string()
      .refine((text) => (parseDuration(text) ?? 0) > 0, 'must be a duration such as "90d"')
      .optional()
      .register(about, { description: "A duration; without it the key has no end", examples: ["90d"] }),
  })
  .register(about, {
    examples: [{ identity: { id: "billing", roles: ["accounts"] }, name: "monthly invoices", expiresIn: "90d" }],
  });
const prefix = z.string().register(about, { description: "Names the key; no secret", examples: ["0f3a9c21b7de"] });
const keySchema = z
  .object({
    prefix,
    name: z.string(),
    identity: identitySchema,
    state: z.enum(["active", "expired", "revoked"]),
    createdAt: moment,
    expiresAt: moment.optional(),
    revokedAt: moment.optional(),
    lastUsed: z.iso.date().optional().register(about, { description: "A day, by UTC; absent before the first" }),
  })
  .register(about, { id: "ApiKey" });
const madeSchema = z.object({
  key: z.string().register(about, { description: "The secret. It is shown this once, and kept nowhere" }),
  ...keySchema.shape,
});

/** `/admin/v1/keys`: API keys are made, listed and revoked ([ACC5]). */
export function apiKeyRoutes(parts: HttpParts): Route[] {
  return [makeRoute(parts), listRoute(parts), revokeRoute(parts)];
}

function makeRoute(parts: HttpParts): Route {
  return {
    doc: {
      id: "makeApiKey",
      tag: "keys",
      role: "admin",
      method: "post",
      path: "/admin/v1/keys",
      summary: "Make an API key",
      body: bodySchema,
      answers: { 201: { description: "The key, with its secret", schema: madeSchema } },
      problems: ["CONFLICT"],
    },
    handle: async (context) => {
      const { identity: given, name, expiresIn } = await readChange(context, bodySchema);
      const identity = checkIdentity(given);
      const { text, prefix, hash } = await newApiKey(parts.random);
      const lasts = expiresIn === undefined ? undefined : parseDuration(expiresIn);
      const expiresAt = lasts === undefined ? null : parts.clock.now() + lasts;
      const key = { prefix, hash, identity, name, expiresAt };
      const view = await ordered(parts, (keys) => keys.make(key, operatorOf(context)));
      return respond(JSON.stringify({ key: text, ...shown(view) }), context.requestId, 201);
    },
  };
}

function listRoute(parts: HttpParts): Route {
  return {
    doc: {
      id: "listApiKeys",
      tag: "keys",
      method: "get",
      path: "/admin/v1/keys",
      summary: "List the API keys, without their secrets",
      query: z.strictObject(pageQuery),
      answers: {
        200: { description: "A page, newest first", schema: z.object({ keys: z.array(keySchema), ...pageAnswer }) },
      },
    },
    handle: async (context) => {
      const { limit, cursor } = parseQuery(context, z.strictObject(pageQuery));
      const before = readCursor(cursor, numberPlace);
      const rows = await askCoordinator(parts, ({ keys }) => keys.list({ limit, before }));
      const page = { keys: rows.map(shown), ...cursorAfter(rows.at(-1)?.seq, rows.length, limit) };
      return respond(JSON.stringify(page), context.requestId);
    },
  };
}

function revokeRoute(parts: HttpParts): Route {
  return {
    doc: {
      id: "revokeApiKey",
      tag: "keys",
      role: "admin",
      method: "delete",
      path: "/admin/v1/keys/{prefix}",
      summary: "Revoke an API key, for good",
      params: z.object({ prefix }),
      answers: { 200: { description: "The key; routers may take it for 30 s more", schema: keySchema } },
    },
    handle: async (context) => {
      await readChange(context, NOTHING);
      const view = await ordered(parts, (keys) => keys.revoke(context.param("prefix"), operatorOf(context)));
      return respond(JSON.stringify(shown(view)), context.requestId);
    },
  };
}

async function ordered(parts: HttpParts, order: (keys: KeyKeeper) => Promise<AdminResult>): Promise<ApiKeyView> {
  const answer = await askCoordinator(parts, ({ keys }) => order(keys));
  if (answer.ok) return answer.result as ApiKeyView;
  throw EdgeverseError.from(answer.error);
}

function shown({ prefix, name, identity, state, createdAt, expiresAt, revokedAt, usedOn }: ApiKeyView) {
  return {
    prefix,
    name,
    identity,
    state,
    createdAt: time(createdAt),
    ...(expiresAt === null ? {} : { expiresAt: time(expiresAt) }),
    ...(revokedAt === null ? {} : { revokedAt: time(revokedAt) }),
    ...(usedOn === null ? {} : { lastUsed: time(usedOn).slice(0, 10) }),
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
