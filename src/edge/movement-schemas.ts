import { z } from "@hono/zod-openapi";
import type { MemberView, MoveView, ResizeView, ShardNote } from "../coordinator/commands.ts";
import { isPartitionName, MAX_SHARDS } from "../identity/object-id.ts";
import { isLabelName, MOST_LABEL_TEXT, MOST_LABELS } from "../placement/labels.ts";
import { moment } from "./schemas.ts";

const count = z.number().int();

export const partitionName = z
  .string()
  .refine(isPartitionName, "must be letters, digits, _ and -, at most 63, beginning with a letter or digit")
  .openapi({ example: "p1" });
export const weight = z
  .number()
  .positive()
  .max(1_000)
  .openapi({ description: "Twice the weight takes twice the shards" });
const LABEL_RULE = "letters, digits, _, - and ., at most 63, beginning with a letter or digit";

/** Not a `z.record`, which leaves a name such as `__proto__` out without a word. */
export const labels = z
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
  .openapi({
    type: "object",
    additionalProperties: { type: "string", maxLength: MOST_LABEL_TEXT },
    example: { zone: "weur-1" },
  });
export const location = z.string().regex(/^[a-z]{2,16}$/, 'must be a location hint such as "weur"');
export const shardCount = count
  .min(1)
  .max(MAX_SHARDS)
  .refine((value) => (value & (value - 1)) === 0, "must be a power of two");

export const memberSchema = z
  .object({
    name: z.string(),
    weight: z.number(),
    labels: z.record(z.string(), z.string()),
    state: z.enum(["active", "cordoned", "draining"]),
    location: z.string().nullable(),
    assignedShards: count.openapi({ description: "Shards it owns by the map; of a draining one, what is left" }),
    incoming: count,
    outgoing: count,
    drained: z.boolean(),
    since: moment,
  })
  .openapi("Member");

/** Beside what a partition says of itself; all null when the coordinator can't be asked, or doesn't know it. */
export const memberPart = z.object({
  weight: memberSchema.shape.weight.nullable(),
  labels: memberSchema.shape.labels.nullable(),
  state: memberSchema.shape.state.nullable(),
  location: memberSchema.shape.location,
  assignedShards: memberSchema.shape.assignedShards.nullable(),
  incoming: count.nullable(),
  outgoing: count.nullable(),
  drained: memberSchema.shape.drained.nullable(),
  since: moment.nullable(),
});

export const NO_MEMBER: z.input<typeof memberPart> = {
  ...{ weight: null, labels: null, state: null, location: null, assignedShards: null },
  ...{ incoming: null, outgoing: null, drained: null, since: null },
};

export function memberBody({ shards, since, ...view }: MemberView): z.input<typeof memberSchema> {
  return { ...view, assignedShards: shards, since: new Date(since).toISOString() };
}

export const moveSchema = z
  .object({
    id: count,
    shard: count,
    from: z.string(),
    to: z.string(),
    phase: z.enum(["planned", "copying", "undoing", "committed", "dropping", "done", "undone"]),
    reason: z.string().openapi({ example: "drain" }),
    detail: z.string(),
    epoch: count.nullable(),
    trouble: z.string().nullable().openapi({ description: "Why it was undone, or is held up" }),
    attempts: count,
    rows: count,
    bytes: count,
    pausedMs: z.number().nullable().openapi({ description: "How long callers of the shard were stopped" }),
    startedAt: moment,
    updatedAt: moment,
    endedAt: moment.nullable(),
    ageMs: z.number(),
    stuck: z.boolean(),
  })
  .openapi("Move");

export function moveBody(view: MoveView, now: number): z.input<typeof moveSchema> {
  const time = (at: number) => new Date(at).toISOString();
  const { startedAt, updatedAt, endedAt, ...rest } = view;
  return {
    ...rest,
    ...{ startedAt: time(startedAt), updatedAt: time(updatedAt), endedAt: endedAt === null ? null : time(endedAt) },
    ageMs: Math.max(0, (endedAt ?? now) - startedAt),
  };
}

export const moveCounts = z.object({
  ...{ done: count, undone: count, active: count, planned: count },
  oldestMs: z.number().openapi({ description: "How long the oldest move under way has been so" }),
});

export const planSchema = z
  .object({
    dryRun: z.boolean(),
    moves: z.array(
      z.object({ shard: count, from: z.string(), to: z.string(), reason: z.string(), detail: z.string() }),
    ),
    skipped: z.array(z.object({ reason: z.string(), count, detail: z.string().optional() })),
    stats: z.object({
      members: z.array(z.object({ name: z.string(), shards: count, ideal: z.number(), load: z.number() })),
      imbalance: z.number(),
    }),
  })
  .openapi("Plan");

export const resizeSchema = z
  .object({
    shards: count,
    target: count.nullable(),
    phase: z.enum(["joining", "settling", "counting"]).nullable(),
    pairsLeft: count,
    partitionsLeft: count,
    trouble: z.string().nullable(),
    dryRun: z.boolean(),
  })
  .openapi("ShardCount");

export function resizeBody(view: ResizeView & { readonly dryRun?: boolean }): z.input<typeof resizeSchema> {
  return { ...view, dryRun: view.dryRun ?? false };
}

export const noteSchema = z
  .object({
    shard: count,
    partition: z.string(),
    epoch: count.nullable(),
    why: z.string(),
    pinned: z.boolean(),
    pinnedTo: z.string().nullable(),
    movedAt: moment.nullable(),
  })
  .openapi("ShardNote");

export function noteBody(note: ShardNote): z.input<typeof noteSchema> {
  return { ...note, why: whyText(note), movedAt: note.movedAt === null ? null : new Date(note.movedAt).toISOString() };
}

/** Who decided where a shard is ([MAP4]). */
export function whyText(note: ShardNote | undefined): string {
  if (note?.pinned === true) return note.pinnedTo === null ? "pinned" : `pinned to ${note.pinnedTo}`;
  switch (note?.why ?? null) {
    case "held":
      return "held: membership changed, a move will correct it";
    case "plan":
      return "moved by plan";
    case "operator":
    case "pin":
      return "moved by an operator";
    case "drain":
      return "moved by a drain";
    case "split":
      return "moved for a change of the shard count";
    default:
      return "base map";
  }
}
