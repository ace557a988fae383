import * as z from "zod";

const labels = z.record(z.string(), z.string()).optional();
const types = z.array(z.string()).max(64).optional();
const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as "02:30"');

const rule = z.strictObject({
  type: z.string().regex(/^(\*|[A-Za-z][A-Za-z0-9_]{0,63})$/, 'must be a type or "*"'),
  on: labels,
  avoid: labels,
  prefer: labels,
  affinity: types,
  antiAffinity: types,
});

const window = z.strictObject({
  days: z.array(z.number().int().min(0).max(6)).optional(),
  from: time,
  to: time,
});

const weight = z.number().min(0).default(1);

/** What the planner goes by ([PLAN1], [MIG7]); see `Policy`. */
export const policySchema = z.object({
  strategy: z.enum(["off", "count", "load"]).default("count"),
  threshold: z.number().positive().default(0.2),
  batch: z.number().int().min(1).nullable().default(null),
  maxConcurrent: z.number().int().min(1).default(4),
  cooldown: z.number().min(0).default(300_000),
  stableFor: z.number().min(0).default(10_000),
  windows: z.array(window).max(64).default([]),
  rules: z.array(rule).max(256).default([]),
  loadWeights: z
    .object({ objects: weight, calls: weight, busy: weight, bytes: weight })
    .default({ objects: 1, calls: 1, busy: 1, bytes: 1 }),
});
