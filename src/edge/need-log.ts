import { EdgeverseError } from "../errors/edgeverse-error.ts";

/** @throws EdgeverseError `LOG_UNAVAILABLE` when the cluster keeps no log */
export function needLog<Part>(part: Part | undefined): Part {
  if (part !== undefined) return part;
  throw new EdgeverseError("LOG_UNAVAILABLE", "This cluster keeps no log of reliable calls", { retryable: false });
}
