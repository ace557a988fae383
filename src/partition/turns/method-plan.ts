import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { copyJson, exceedsBytes, JsonTooLargeError, NotJsonError } from "../../object/json.ts";
import type { MethodDefinition } from "../../object/registry.ts";
import type { TurnPlan } from "./turn.ts";

type Rest = Pick<
  TurnPlan,
  "info" | "timeout" | "parent" | "inside" | "chain" | "ticket" | "admitted" | "encode" | "finish"
>;

/** The turn that calls `method` with an already parsed request. */
export function methodPlan(method: MethodDefinition, request: unknown, rest: Rest): TurnPlan {
  // One shape for all plans, and no spread: this runs for every call.
  return {
    kind: "call",
    readonly: method.readonly,
    method,
    async: method.returns !== "value",
    info: rest.info,
    timeout: rest.timeout,
    parent: rest.parent,
    inside: rest.inside,
    chain: rest.chain,
    ticket: rest.ticket,
    admitted: rest.admitted,
    run: (instance) => (instance as unknown as Record<string, (request: unknown) => unknown>)[method.name]?.(request),
    encode: rest.encode,
    finish: rest.finish,
  };
}

/** A method that has returned a value counts as plain from then on, until it returns a promise. */
export function learnFrom(method: MethodDefinition, result: unknown): void {
  if (result instanceof Promise) method.returns = "promise";
  else if (method.returns === "unknown") method.returns = "value";
}

/** Makes a response a JSON text of at most `limit` bytes: of those when it is made. */
export function encodeText(limit: () => number): (value: unknown) => string {
  const copyResponse = encodeCopy(limit);
  return (value) => {
    const text = JSON.stringify(copyResponse(value));
    if (exceedsBytes(text, limit())) throw tooLarge(limit());
    return text;
  };
}

/** Makes a response a copy that shares nothing with the object. */
export function encodeCopy(limit: () => number): (value: unknown) => unknown {
  return (value) => {
    try {
      return copyJson(value, limit());
    } catch (error) {
      if (error instanceof JsonTooLargeError) throw tooLarge(limit());
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
