import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { NotJsonError, parseJson } from "../object/json.ts";

/** @throws EdgeverseError `INVALID_JSON`, `INVALID_ARGUMENT` when it is nested too deep */
export function rawRequest({ request }: { readonly request?: string }): unknown {
  if (request === undefined) return undefined;
  try {
    return parseJson(request);
  } catch (error) {
    const code = error instanceof NotJsonError ? "INVALID_ARGUMENT" : "INVALID_JSON";
    throw new EdgeverseError(code, `Cannot read the request: ${(error as Error).message}`);
  }
}
