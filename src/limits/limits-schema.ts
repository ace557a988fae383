import * as z from "zod";

/** The most limits of one host: each call is looked at by all that are for it. */
export const MAX_LIMITS = 32;
/** Seconds that an empty bucket may take to fill. */
const LONGEST = 30 * 86_400;
const METHOD = /^[A-Za-z_][A-Za-z0-9_]{0,63}\.[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/**
 * How often clients may call something: a bucket of `burst` tokens, to which `rate` tokens are added each second. A call takes
 * one, or what `costs` says. In any time of `t` seconds that makes `burst + rate * t` at most ([LIM1]).
 */
export interface Limit {
  /**
   * What has a bucket of its own: each client (its identity, or else its address), each object, or each method of each type,
   * then at each partition.
   */
  readonly per: "client" | "object" | "method";
  /** Tokens a second. */
  readonly rate: number;
  /** Tokens of a full bucket; default: those of one second, and at least one. */
  readonly burst?: number | undefined;
  /** Which types; `*` stands for any characters. Default: all. */
  readonly type?: string | undefined;
  /** Which methods, likewise. Without it creations, deletions and what else clients ask for are counted too. */
  readonly method?: string | undefined;
  /** What calls cost that do not cost 1, by type and method, such as `{ "Report.render": 20 }`. 0 is free. */
  readonly costs?: Readonly<Record<string, number>> | undefined;
  /** Clients with one of these roles are not limited by it. */
  readonly exempt?: readonly string[] | undefined;
}

/** Limits by names of your choice: clients are told which of them refused a call. */
export type Limits = Readonly<Record<string, Limit>>;

const pattern = z.string().min(1).max(512);
const limit = z
  .strictObject({
    per: z.enum(["client", "object", "method"]),
    rate: z
      .number()
      .min(1 / LONGEST)
      .max(1_000_000),
    burst: z.number().int().min(1).max(1_000_000).optional(),
    type: pattern.optional(),
    method: pattern.optional(),
    costs: z.record(z.string().regex(METHOD, 'must be like "Type.method"'), z.number().min(0)).optional(),
    exempt: z.array(z.string().min(1)).min(1, "name a role, or leave it out").optional(),
  })
  .superRefine((given, context) => {
    const burst = burstOf(given);
    if (burst / given.rate > LONGEST)
      context.addIssue({ code: "custom", message: "an empty bucket would take over 30 days to fill" });
    for (const [name, cost] of Object.entries(given.costs ?? {}))
      if (cost > burst)
        context.addIssue({ code: "custom", message: `${name} costs more than the burst: nobody could call it` });
  });
const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, "must be a name of letters, digits, - and _");
const few = (limits: object) => Object.keys(limits).length <= MAX_LIMITS;

/** As `defineHost` takes them. */
export const limitsSchema = z.record(name, limit).refine(few, `there are more than ${MAX_LIMITS} limits`);

/** As a document has them that is laid over those of the code: null takes one away. */
export const limitsDocumentSchema = z
  .record(name, limit.nullable())
  .refine(few, `there are more than ${MAX_LIMITS} limits`);

export type LimitsDocument = Readonly<Record<string, Limit | null>>;

/** @throws Error naming the limit and what is wrong with it */
export function checkLimits(limits: Limits): Limits {
  const { error } = limitsSchema.safeParse(limits);
  const issue = error?.issues[0];
  if (issue === undefined) return limits;
  const where = issue.path.length === 0 ? "" : `${issue.path.map(String).join(".")}: `;
  const why = issue.code === "invalid_key" ? issue.issues[0]?.message : issue.message;
  throw new Error(`Cannot use the limits: ${where}${why}`);
}

/** The limits of the code with a document over them. */
export function mergedLimits(code: Limits, document: LimitsDocument): Limits {
  const all = Object.entries({ ...code, ...document });
  return Object.fromEntries(all.filter((entry): entry is [string, Limit] => entry[1] !== null));
}

export function burstOf({ rate, burst }: Pick<Limit, "rate" | "burst">): number {
  return burst ?? Math.max(1, Math.ceil(rate));
}
