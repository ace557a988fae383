/** Problems of who calls. */
export const IDENTITY = ["RATE_LIMITED", "UNAUTHENTICATED", "UNAVAILABLE"] as const;
/** The same where something is called. */
export const ACCESS = [...IDENTITY, "ACCESS_DENIED"] as const;
/** Problems of what names an object and a method. */
export const ADDRESS = ["INVALID_ID", "TYPE_NOT_FOUND", "METHOD_NOT_FOUND", "OBJECT_NOT_FOUND"] as const;
/** Problems of running a turn. */
export const TURN = [
  "CALL_FAILED",
  "CONFLICT",
  "DEADLINE_EXCEEDED",
  "DEADLOCK",
  "INTERNAL",
  "INVALID_RESPONSE",
  "OVERLOADED",
  "PAYLOAD_TOO_LARGE",
  "STATE_INVALID",
  "STATE_TOO_LARGE",
  "UNAVAILABLE",
] as const;
/** Problems of reliable calls. */
export const RELIABLE = ["CALL_ID_REUSED", "EXPIRED_CALL_ID", "LOG_UNAVAILABLE"] as const;

/** What to do about members of a body that belong into its `request`: the mistake that everybody makes first. */
export function unknownMember(issue: {
  readonly code?: string;
  readonly keys?: readonly string[];
}): string | undefined {
  if (issue.code !== "unrecognized_keys") return undefined;
  const names = (issue.keys ?? []).map((key) => JSON.stringify(key)).join(", ");
  return `Unrecognized keys: ${names}. What the method gets stands in "request", as in {"request":{…}}`;
}
