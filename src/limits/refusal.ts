import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { ReadyLimit } from "./limit-set.ts";

/** What a refused client is told of the limit: `details` of the problem. */
export interface RefusalDetails {
  readonly limit: string;
  readonly per: ReadyLimit["per"];
  /** Tokens a second. */
  readonly rate: number;
  readonly burst: number;
  /** Tokens that the call needed. */
  readonly cost: number;
  /** Whole tokens that there were. */
  readonly left: number;
}

const WHOSE = { client: "this client", object: "this object", method: "this method" } as const;

/** @param wait ms until the call would be taken */
export function refusal(
  { name, per, rate, burst }: ReadyLimit,
  cost: number,
  wait: number,
  left: number,
): EdgeverseError {
  const details: RefusalDetails = { limit: name, per, rate, burst, cost, left };
  const seconds = Math.max(1, Math.ceil(wait / 1_000));
  return new EdgeverseError(
    "RATE_LIMITED",
    `The limit "${name}" has no room for ${WHOSE[per]} now: it takes ${rate} a second, and ${burst} at once`,
    { details, retryAfter: seconds },
  );
}
