import type * as z from "zod";
import { EdgeverseError } from "../errors/edgeverse-error.ts";

/** What takes a request: a method, or the creation of an object. */
export interface RequestSchema {
  readonly name: string;
  /** Undefined: it takes no request. */
  readonly request: z.ZodType | undefined;
}

/** What no request may stand for; a schema gets the first of them that it takes. */
const NONE: readonly unknown[] = [undefined, null, {}];

/**
 * The request as its schema parses it ([OBJ2]). No request, which null is too, is `undefined` to a schema, or what it takes
 * of null and `{}`.
 *
 * @throws EdgeverseError `INVALID_ARGUMENT` with the path of each issue; `INTERNAL` when the schema's own code throws
 */
export function parseRequest({ name, request: schema }: RequestSchema, request: unknown): unknown {
  const none = request === undefined || request === null;
  if (schema === undefined) {
    if (none || (typeof request === "object" && Object.keys(request).length === 0)) return undefined;
    throw new EdgeverseError("INVALID_ARGUMENT", `${name} takes no request`);
  }
  const faults: z.ZodError[] = [];
  for (const candidate of none ? NONE : [request]) {
    const parsed = safeParse(name, schema, candidate);
    if (parsed.success) return parsed.data;
    faults.push(parsed.error);
  }
  throw validationError(name, faults);
}

function safeParse(name: string, schema: z.ZodType, request: unknown): z.ZodSafeParseResult<unknown> {
  try {
    return schema.safeParse(request);
  } catch (cause) {
    throw new EdgeverseError("INTERNAL", `The request schema of ${name} failed unexpectedly`, { cause });
  }
}

/** @param faults of every candidate; that of `{}`, which is last, says the most if it is about members */
function validationError(name: string, faults: readonly z.ZodError[]): EdgeverseError {
  const aboutMembers = faults.at(-1)?.issues.every(({ path }) => path.length > 0) === true;
  const fault = aboutMembers ? faults.at(-1) : faults[0];
  const issues = (fault?.issues ?? []).slice(0, 20).map(({ path, message, code }) => ({ path, message, code }));
  const first = issues[0];
  const where = first === undefined || first.path.length === 0 ? "" : ` at ${first.path.map(String).join(".")}`;
  const message = `The request of ${name} does not fit${where}: ${first?.message}`;
  return new EdgeverseError("INVALID_ARGUMENT", message, { details: { issues } });
}
