import * as z from "zod";

/** Which clients may do something: all that is named must hold. */
export interface Who {
  /** Clients without an identity, too. */
  readonly anonymous?: boolean;
  /** Clients whose identity has one of these roles. */
  readonly roles?: readonly string[];
  /** Clients whose identity has the object's id. */
  readonly owner?: boolean;
  /** These clients as well. */
  readonly or?: Who;
}

/** Who may call a method, as code says it. Other objects and the Worker's own code always may. */
export interface Access extends Who {
  /** No client. */
  readonly internal?: boolean;
}

/** Who may call the methods of a type, where these say nothing themselves. With no more than `{}`: clients with an identity. */
export interface TypeAccess extends Access {
  /** Who may create an object, also by its first call; default: who may call. */
  readonly create?: Access;
  /** Who may delete one; default: no client. */
  readonly delete?: Access;
  /** Who may find objects by an index, and with `owner` only the own one; default: no client. */
  readonly query?: Access;
}

/** A rule over what code says: the first that fits decides ([ACC1]). In `type`, `id` and `method`, `*` stands for any characters. */
export interface AccessRule extends Who {
  readonly type: string;
  /** Default: every id. */
  readonly id?: string;
  /** Default: every method. */
  readonly method?: string;
  /** The rule is for creating objects, deleting them, or both (`ALL`), or for queries; and for no method. */
  readonly lifecycle?: "CREATE" | "DELETE" | "ALL" | "QUERY";
  /** `INTERNAL` are objects and the Worker's own code, `EXTERNAL` clients; `ALLOW` are both, and `REJECT` is nobody. */
  readonly access: "ALLOW" | "INTERNAL" | "EXTERNAL" | "REJECT";
}

const who = {
  anonymous: z.boolean().optional(),
  roles: z.array(z.string().min(1)).min(1, "no client could have one of no roles").optional(),
  owner: z.boolean().optional(),
  get or(): z.ZodOptional<z.ZodType> {
    return z.strictObject(who).superRefine(agrees).optional();
  },
};
const accessSchema = z.strictObject({ ...who, internal: z.boolean().optional() }).superRefine(agrees);
const typeAccessSchema = z
  .strictObject({
    ...who,
    internal: z.boolean().optional(),
    create: accessSchema.optional(),
    delete: accessSchema.optional(),
    query: accessSchema.optional(),
  })
  .superRefine(agrees);
const pattern = z.string().min(1).max(512);
const ruleSchema = z
  .strictObject({
    ...who,
    type: pattern,
    id: pattern.optional(),
    method: pattern.optional(),
    lifecycle: z.enum(["CREATE", "DELETE", "ALL", "QUERY"]).optional(),
    access: z.enum(["ALLOW", "INTERNAL", "EXTERNAL", "REJECT"]),
  })
  .superRefine(({ access, method, lifecycle, ...rest }, context) => {
    agrees({ ...rest, internal: access === "INTERNAL" || access === "REJECT" }, context);
    if (method !== undefined && lifecycle !== undefined)
      context.addIssue({ code: "custom", message: "it names a method and a lifecycle; make two rules" });
    // Its cursors would tell of objects that it must not find.
    if (lifecycle === "QUERY" && rest.id !== undefined)
      context.addIssue({ code: "custom", message: "a query is for all objects of a type: leave out the id" });
  });

/** Rules as an operator gives them while the host runs. */
export const accessRules = z.array(ruleSchema).max(1_000) as unknown as z.ZodType<readonly AccessRule[]>;

/** What can't all be meant. */
function agrees(given: unknown, context: z.RefinementCtx): void {
  const { anonymous, roles, owner, or, internal } = given as Access;
  const some = roles !== undefined || owner === true || or !== undefined;
  if (anonymous === true && some)
    context.addIssue({ code: "custom", message: "anonymous lets every client in, whatever else it names" });
  if (internal === true && (some || anonymous === true))
    context.addIssue({ code: "custom", message: "it lets no client in, and names some" });
}

/** Whether a method says itself who may call it. */
export function declares({ anonymous, roles, owner, or, internal }: Access): boolean {
  return internal === true || [anonymous, roles, owner, or].some((said) => said !== undefined);
}

/** Why this can't be used; undefined when it can. A method has other options beside. */
export function accessFault({ anonymous, roles, owner, or, internal }: Access): string | undefined {
  return faultOf(accessSchema.safeParse({ anonymous, roles, owner, or, internal }));
}

export function typeAccessFault(access: TypeAccess): string | undefined {
  return faultOf(typeAccessSchema.safeParse(access));
}

export function ruleFault(rule: AccessRule): string | undefined {
  return faultOf(ruleSchema.safeParse(rule));
}

function faultOf({ error }: { readonly error?: z.ZodError | undefined }): string | undefined {
  const issue = error?.issues[0];
  if (issue === undefined) return undefined;
  return issue.path.length === 0 ? issue.message : `${issue.path.map(String).join(".")}: ${issue.message}`;
}
