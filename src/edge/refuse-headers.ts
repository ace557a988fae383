import { EdgeverseError } from "../errors/edgeverse-error.ts";

/** Refuses headers of reliable calls where they would be ignored: who sends one relies on it. */
export function refuseHeaders(headers: Headers, names: readonly string[], instead: string): void {
  const name = names.find((each) => headers.has(each));
  if (name === undefined) return;
  throw new EdgeverseError("INVALID_ARGUMENT", `Cannot use the header ${name} here: ${instead}`);
}
