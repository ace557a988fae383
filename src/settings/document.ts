import * as z from "zod";
import { accessRules } from "../access/access.ts";
import { type Config, configSchema } from "../config/config.ts";
import { nearestName } from "../config/nearest-name.ts";
import { type LimitsDocument, limitsDocumentSchema } from "../limits/limits-schema.ts";
import { gateStatesSchema } from "./gate-states.ts";
import { FIXED, LIVE_KEYS, type LiveKey } from "./live-keys.ts";

/** Bytes of JSON of one document. The coordinator keeps many, and each partition two. */
export const MAX_DOCUMENT = 128 * 1024;

const encoder = new TextEncoder();

/** One setting, as the variables have it: a duration as a text, but a number as a number. The value stays as it was given. */
function setting(key: LiveKey): z.ZodType {
  const schema = configSchema.shape[key] as z.ZodType;
  const kind = schema instanceof z.ZodDefault && schema.unwrap() instanceof z.ZodNumber ? z.number() : z.string();
  const json: z.ZodType = key === "placement" ? z.record(z.string(), z.unknown()) : kind;
  return json
    .superRefine((value, context) => {
      const { error } = schema.safeParse(value);
      for (const { message, path } of error?.issues ?? []) context.addIssue({ code: "custom", message, path });
    })
    .optional();
}

/** Explains the names that can't be set, which `strictObject` would only call unrecognized. */
const settingsSchema = z
  .unknown()
  .superRefine((value, context) => {
    if (typeof value !== "object" || value === null) return;
    for (const key of Object.keys(value)) {
      if ((LIVE_KEYS as readonly string[]).includes(key)) continue;
      const fixed = Object.hasOwn(FIXED, key) ? FIXED[key as keyof typeof FIXED] : undefined;
      const nearest = nearestName(key, LIVE_KEYS);
      const guess = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
      const why =
        fixed === undefined ? `there is no such setting${guess}` : `can't change while the host runs: ${fixed}`;
      context.addIssue({ code: "custom", message: why, path: [key.slice(0, 80)] });
    }
  })
  .pipe(z.strictObject(Object.fromEntries(LIVE_KEYS.map((key) => [key, setting(key)]))));

/** What is logged. */
const logSchema = z.strictObject({
  /** The least that is logged. */
  level: z.enum(["warn", "error", "off"]).optional(),
  /** The share of the lines of an event that are written; the first one always is. */
  sampling: z.number().min(0).max(1).optional(),
});

/**
 * What an operator may change while the host runs ([CONF1]). Whatever it does not name is as code and variables say.
 * `access` comes before the host's own rules, and `limits` over its limits: null takes one away. `gates` has those that are
 * not active.
 */
export const documentSchema = z.strictObject({
  settings: settingsSchema.optional(),
  log: logSchema.optional(),
  access: accessRules.optional(),
  limits: (limitsDocumentSchema as z.ZodType<LimitsDocument>).optional(),
  gates: gateStatesSchema.optional(),
});

export type SettingsDocument = {
  readonly [Section in keyof z.output<typeof documentSchema>]: z.output<typeof documentSchema>[Section];
};

/** A document with its number. Numbers grow, so the greater one is the newer one. 0: nobody has changed anything. */
export interface VersionedDocument {
  readonly version: number;
  readonly document: SettingsDocument;
}

export const NO_DOCUMENT: VersionedDocument = { version: 0, document: {} };

export type LogLevel = NonNullable<z.output<typeof logSchema>["level"]>;

export interface DocumentIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The document, or all that is wrong with it. */
export function readDocument(
  given: unknown,
): { readonly document: SettingsDocument } | { readonly issues: readonly DocumentIssue[] } {
  const parsed = documentSchema.safeParse(given);
  if (!parsed.success)
    return { issues: parsed.error.issues.slice(0, 20).map(({ path, message }) => ({ path, message })) };
  const bytes = encoder.encode(JSON.stringify(parsed.data)).length;
  if (bytes > MAX_DOCUMENT)
    return { issues: [{ path: [], message: `is ${bytes} bytes of JSON, over ${MAX_DOCUMENT}` }] };
  return { document: parsed.data };
}

/** The first issue as one sentence. */
export function faultOf(issues: readonly DocumentIssue[]): string {
  const { path, message } = issues[0] as DocumentIssue;
  return path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`;
}

/** The configuration with a document over it. */
export function withDocument(base: Config, { settings }: SettingsDocument): Config {
  const over = Object.entries(settings ?? {}).map(([key, value]) => {
    return [key, (configSchema.shape[key as LiveKey] as z.ZodType).parse(value)];
  });
  return { ...base, ...Object.fromEntries(over) } as Config;
}
