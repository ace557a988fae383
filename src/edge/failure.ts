import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { EdgeParts } from "./ports.ts";
import { problem } from "./problem.ts";

/** The answer to whatever was thrown. What is our fault is reported; the client learns only that it happened. */
export function failure(parts: Pick<EdgeParts, "onError">, thrown: unknown, requestId: string): Response {
  const error = EdgeverseError.from(thrown);
  if (error.code === "INTERNAL") parts.onError(thrown, { requestId });
  return problem(error.toWire(), requestId);
}
