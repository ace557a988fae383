import * as z from "zod";
import type { SettingsCommand } from "../../coordinator/commands.ts";
import type { SettingsResult } from "../../coordinator/settings-views.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { ADMIN_LIMIT, askPartition } from "../ask-partitions.ts";
import { parseQuery, readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { HttpContext, Route } from "../route.ts";
import { about, jsonValue, moment, partitionParams, wholeNumber } from "../schemas.ts";
import { askCoordinator, command, ORDERED } from "./coordinator.ts";
import { noPartition } from "./partition-view.ts";

const number = z.number().int().min(0);
const document = z
  .custom<Record<string, unknown>>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "must be an object",
  )
  .register(about, {
    type: "object",
    additionalProperties: true,
    description: "Sections `settings`, `log`, `access`, `limits` and `gates`; see docs/operations.md",
    examples: [{ settings: { callTimeout: "10s" }, log: { level: "error" } }],
  });
const change = {
  expectedVersion: number.optional().register(about, {
    description: "The change is refused with CONFLICT unless this is the newest version",
  }),
  dryRun: z.boolean().default(false).register(about, { description: "Checks and shows, and changes nothing" }),
};
const putBody = z.strictObject({ document, ...change });
const rollbackBody = z.strictObject({ version: number, ...change });

const resultSchema = z.object({
  version: number.register(about, { description: "The newest version after it" }),
  changed: z.boolean(),
  dryRun: z.boolean(),
  changes: z
    .array(z.object({ path: z.string(), from: jsonValue.optional(), to: jsonValue.optional() }))
    .register(about, { description: "Where the document differs from the one before, as JSON Pointers" }),
});
const versionShape = {
  version: number,
  at: moment.nullable(),
  actor: z.string(),
  requestId: z.string(),
  from: number.nullable().register(about, { description: "The version that an operator went back to" }),
};
const receiptSchema = z.object({
  kind: z.enum(["partition", "gate"]),
  name: z.string(),
  seen: number.register(about, { description: "The newest version that it has" }),
  version: number.register(about, { description: "The version that it goes by" }),
  fault: z.string().nullable().register(about, { description: "Why it does not go by the newest that it has" }),
  trouble: z.string().nullable().register(about, { description: "Why it has not said anything of the newest" }),
});

/** `/admin/v1/config`: settings without a deploy ([CONF1]). */
export function configRoutes(parts: HttpParts): Route[] {
  return [read(parts), put(parts), versions(parts), rollback(parts), ofPartition(parts)];
}

const querySchema = z.strictObject({ version: wholeNumber(0, 999_999_999).optional() });

/** `GET /admin/v1/config`: the newest version and who goes by it, or an older one. */
function read(parts: HttpParts): Route {
  return {
    doc: {
      id: "getConfig",
      tag: "settings",
      method: "get",
      path: "/admin/v1/config",
      summary: "See the settings document, and who goes by it",
      query: querySchema,
      answers: {
        200: {
          description: "A version, by default the newest",
          schema: z.object({
            ...versionShape,
            document,
            complete: z.boolean().nullable().register(about, { description: "Whether all go by the newest version" }),
            processes: z.array(receiptSchema).nullable().register(about, { description: "Of the newest version only" }),
          }),
        },
      },
      problems: ["NOT_FOUND", "UNAVAILABLE"],
    },
    handle: async (context) => {
      const { version } = parseQuery(context, querySchema);
      const found = await askCoordinator(parts, (coordinator) => coordinator.settings(version));
      if (found === null)
        throw new EdgeverseError(
          "NOT_FOUND",
          `There is no version ${version} of the settings, or it is no longer kept`,
        );
      const { receipts, ...rest } = found;
      const complete = receipts?.every((receipt) => receipt.version === found.version) ?? null;
      const body = { ...rest, at: timeOf(rest.at), complete, processes: receipts };
      return respond(JSON.stringify(body), context.requestId);
    },
  };
}

/** `PUT /admin/v1/config`. Rules of access are checked here: the coordinator has no classes. */
function put(parts: HttpParts): Route {
  return {
    doc: {
      id: "putConfig",
      tag: "settings",
      role: "admin",
      method: "put",
      path: "/admin/v1/config",
      summary: "Replace the settings document",
      body: putBody,
      answers: { 200: { description: "What changed, or would", schema: resultSchema } },
      problems: ORDERED,
    },
    handle: async (context) => {
      const order = await readChange(context, putBody);
      checkRules(parts, order.document);
      return changed(context, parts, { kind: "put-settings", ...order });
    },
  };
}

/** `GET /admin/v1/config/versions`: newest first. */
function versions(parts: HttpParts): Route {
  return {
    doc: {
      id: "listConfigVersions",
      tag: "settings",
      method: "get",
      path: "/admin/v1/config/versions",
      summary: "List the versions of the settings document that are kept",
      answers: {
        200: {
          description: "Newest first, 100 at most",
          schema: z.object({ versions: z.array(z.object(versionShape)) }),
        },
      },
      problems: ["UNAVAILABLE"],
    },
    handle: async (context) => {
      const kept = await askCoordinator(parts, (coordinator) => coordinator.settingsVersions());
      const versions = kept.map((version) => ({ ...version, at: timeOf(version.at) }));
      return respond(JSON.stringify({ versions }), context.requestId);
    },
  };
}

/** `POST /admin/v1/config/rollback`: an older document as the newest version. */
function rollback(parts: HttpParts): Route {
  return {
    doc: {
      id: "rollbackConfig",
      tag: "settings",
      role: "admin",
      method: "post",
      path: "/admin/v1/config/rollback",
      summary: "Go back to the document of an older version",
      body: rollbackBody,
      answers: { 200: { description: "What changed, or would", schema: resultSchema } },
      problems: ORDERED,
    },
    handle: async (context) => {
      const order = await readChange(context, rollbackBody);
      const old = await askCoordinator(parts, (coordinator) => coordinator.settings(order.version));
      // Classes may have changed since.
      if (old !== null) checkRules(parts, old.document);
      return changed(context, parts, { kind: "rollback-settings", ...order });
    },
  };
}

/** `GET /admin/v1/partitions/{partition}/config`: what a partition goes by, and where each value comes from. */
function ofPartition(parts: HttpParts): Route {
  return {
    doc: {
      id: "getPartitionConfig",
      tag: "settings",
      method: "get",
      path: "/admin/v1/partitions/{partition}/config",
      summary: "See the settings that a partition goes by, and where each comes from",
      params: partitionParams,
      answers: {
        200: {
          description: "Its settings",
          schema: z.object({
            partition: z.string(),
            seen: number,
            version: number,
            fault: z.string().optional(),
            log: z.object({ level: z.enum(["warn", "error", "off"]), sampling: z.number() }),
            access: z.array(jsonValue).register(about, { description: "Rules of the document, over the code's" }),
            settings: z.array(
              z.object({
                name: z.string(),
                variable: z.string(),
                value: jsonValue,
                origin: z.enum(["default", "variable", "document"]),
                live: z.boolean().register(about, { description: "Whether a document may change it" }),
              }),
            ),
          }),
        },
      },
      problems: ["UNAVAILABLE"],
    },
    handle: async (context) => {
      const partition = context.param("partition");
      await parts.router.refresh();
      if (!parts.router.map.partitions.includes(partition)) throw noPartition(partition);
      const { values, ...rest } = await askPartition(parts, partition, ADMIN_LIMIT, (client) => client.settings());
      return respond(JSON.stringify({ partition, ...rest, settings: values }), context.requestId);
    },
  };
}

/** @throws EdgeverseError `INVALID_ARGUMENT` when it can't be used with the classes that are served here */
function checkRules({ settings }: HttpParts, given: unknown): void {
  const issue = settings.live.issueOf(given);
  if (issue === undefined) return;
  const path = ["document", ...issue.path];
  throw new EdgeverseError("INVALID_ARGUMENT", `The document does not fit at ${path.join(".")}: ${issue.message}`, {
    details: { issues: [{ path, message: issue.message, code: "custom" }] },
  });
}

async function changed(context: HttpContext, parts: HttpParts, order: SettingsCommand): Promise<Response> {
  const result = await command<SettingsResult>(parts, order, context);
  const { document: newest, version, changed, changes, dryRun } = result;
  if (changed) parts.settings.live.apply({ version, document: newest });
  return respond(JSON.stringify({ version, changed, dryRun, changes }), context.requestId);
}

function timeOf(at: number): string | null {
  return at === 0 ? null : new Date(at).toISOString();
}
