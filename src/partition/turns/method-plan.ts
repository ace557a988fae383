import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { copyJson, exceedsBytes, JsonTooLargeError, NotJsonError } from "../../object/json.ts";
import type { MethodDefinition } from "../../object/registry.ts";
import type { TurnPlan } from "./turn.ts";

type Rest = Pick<TurnPlan, "info" | "timeout" | "parent" | "chain" | "admitted" | "encode" | "finish">;

/** The turn that calls `method` with an already parsed request. */
export function methodPlan(method: MethodDefinition, request: unknown, rest: Rest): TurnPlan {
  return {
    kind: "call",
    readonly: method.readonly,
    async: method.returns !== "value",
    ...(method.returns === "promise" ? {} : { onReturn: learn(method) }),
    run: (instance) => (instance as unknown as Record<string, (request: unknown) => unknown>)[method.name]?.(request),
    ...rest,
  };
}

/** A method that has returned a value counts as plain from then on, until it returns a promise. */
function learn(method: MethodDefinition): (promise: boolean) => void {
  return (promise) => {
    if (promise) method.returns = "promise";
    else if (method.returns === "unknown") method.returns = "value";
  };
}

/**
 * The request as the method's schema parses it ([OBJ2]). A method without a schema takes none, null or `{}`.
 * @throws EdgeverseError `INVALID_ARGUMENT` with the path of each issue
 */
export function parseRequest(method: MethodDefinition, request: unknown): unknown {
  if (method.request === undefined) {
    if (request === undefined || request === null) return undefined;
    if (typeof request === "object" && Object.keys(request).length === 0) return undefined;
    throw new EdgeverseError("INVALID_ARGUMENT", `${method.name} takes no request`);
  }
  const parsed = method.request.safeParse(request);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 20).map(({ path, message, code }) => ({ path, message, code }));
  const first = issues[0];
  const where = first === undefined || first.path.length === 0 ? "" : ` at ${first.path.map(String).join(".")}`;
  throw new EdgeverseError(
    "INVALID_ARGUMENT",
    `The request of ${method.name} does not fit${where}: ${first?.message}`,
    {
      details: { issues },
    },
  );
}

/** Makes a response a JSON text of at most `limit` bytes. */
export function encodeText(limit: number): (value: unknown) => string {
  const copyResponse = encodeCopy(limit);
  return (value) => {
    const text = JSON.stringify(copyResponse(value));
    if (exceedsBytes(text, limit)) throw tooLarge(limit);
    return text;
  };
}

/** Makes a response a copy that shares nothing with the object. */
export function encodeCopy(limit: number): (value: unknown) => unknown {
  return (value) => {
    try {
      return copyJson(value, limit);
    } catch (error) {
      if (error instanceof JsonTooLargeError) throw tooLarge(limit);
      if (!(error instanceof NotJsonError)) throw error;
      throw new EdgeverseError("INVALID_RESPONSE", `The response is not a JSON value: ${error.message}`, {
        details: { path: error.path },
      });
    }
  };
}

function tooLarge(limit: number): EdgeverseError {
  return new EdgeverseError("PAYLOAD_TOO_LARGE", `The response is over ${limit} bytes of JSON`);
}
