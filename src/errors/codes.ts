/** What a code means to HTTP and to whoever may try again. `docs/errors.md` explains each; a test keeps them equal. */
export interface CodeInfo {
  readonly status: number;
  readonly title: string;
  /** True when the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
}

const code = (status: number, title: string, retryable = false): CodeInfo => ({ status, title, retryable });

/** Every error code that can leave Edgeverse. */
export const CODES = {
  INVALID_PATH: code(400, "The path is malformed"),
  INVALID_ID: code(400, "The type or id is not a valid identity"),
  INVALID_JSON: code(400, "The body is not valid JSON"),
  INVALID_ARGUMENT: code(400, "The request does not fit its schema"),
  UNAUTHENTICATED: code(401, "Credentials are missing or wrong"),
  ACCESS_DENIED: code(403, "Not allowed"),
  TYPE_NOT_FOUND: code(404, "No such object type"),
  METHOD_NOT_FOUND: code(404, "The type declares no such method"),
  OBJECT_NOT_FOUND: code(404, "The object does not exist"),
  CALL_NOT_FOUND: code(404, "No reliable call with this id"),
  NOT_FOUND: code(404, "Nothing here"),
  METHOD_NOT_ALLOWED: code(405, "The route exists with another HTTP method"),
  DEADLOCK: code(409, "The call would wait for itself"),
  CONFLICT: code(409, "The change conflicts with the present state"),
  EXPIRED_CALL_ID: code(410, "The call id is older than the retention of call marks"),
  PAYLOAD_TOO_LARGE: code(413, "The request, response or stored value is too large"),
  STATE_TOO_LARGE: code(413, "The object's state is too large"),
  URL_TOO_LONG: code(414, "The URL is too long"),
  CALL_ID_REUSED: code(422, "The call id named another call"),
  CALL_FAILED: code(422, "The method refused the call"),
  RATE_LIMITED: code(429, "Too many requests", true),
  HEADERS_TOO_LARGE: code(431, "The headers are too large"),
  INTERNAL: code(500, "The method failed unexpectedly"),
  STATE_INVALID: code(500, "The object's state does not fit its schema"),
  INVALID_RESPONSE: code(500, "The method's response is not a JSON value"),
  COMMIT_REFUSED: code(500, "The database refuses what the turn would store"),
  STORAGE_FULL: code(507, "The partition's database is full", true),
  OVERLOADED: code(503, "Too many calls are waiting", true),
  LOG_UNAVAILABLE: code(503, "The log of reliable calls cannot take the call", true),
  UNAVAILABLE: code(503, "A part of the cluster cannot be reached", true),
  DEADLINE_EXCEEDED: code(504, "The deadline passed", true),
} as const satisfies Record<string, CodeInfo>;

export type ErrorCode = keyof typeof CODES;

export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(CODES, value);
}
