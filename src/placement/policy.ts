import { z } from "zod";
export const policySchema = z.object({
  strategy: z.enum(["off", "count", "load"]).default("count"),
  threshold: z.number().default(0.2),
  batch: z.number().nullable().default(null),
  maxConcurrent: z.number().default(4),
  cooldown: z.number().default(300_000),
  stableFor: z.number().default(10_000),
});
