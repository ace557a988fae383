/** Why the gate closes a connection: codes of WebSocket. */
export const CLOSE = {
  left: 1000,
  refused: 1008,
  restart: 1012,
  busy: 1013,
  /** The credentials that it was opened with have expired. */
  expired: 4401,
  /** The gate is drained: another one has room. */
  moved: 4410,
  /** It was silent, or took nothing, for too long. */
  silent: 4408,
  /** The session has another connection. */
  replaced: 4409,
} as const;
