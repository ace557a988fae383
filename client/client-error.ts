import type { ErrorCode } from "../src/errors/codes.ts";

/** What tells about an error, beside its code and text. */
export interface ErrorParts {
  readonly retryable?: boolean | undefined;
  readonly reason?: string | undefined;
  readonly details?: unknown;
  readonly retryAfter?: number | undefined;
  readonly requestId?: string | undefined;
  readonly callId?: string | undefined;
  readonly cause?: unknown;
}

/** Why a call, a subscription or a connection failed. The one kind of error that the client makes. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  /** One of docs/errors.md. `UNAVAILABLE` is also a host that can't be reached, `DEADLINE_EXCEEDED` also one that says nothing. */
  readonly code: ErrorCode;
  /** Whether the same may go well later, and does no harm if it has already been done. */
  readonly retryable: boolean;
  /** The method's own code, with `CALL_FAILED`. */
  readonly reason: string | undefined;
  readonly details: unknown;
  /** Seconds to wait before it is tried again. */
  readonly retryAfter: number | undefined;
  /** Under which the host's log has it. */
  readonly requestId: string | undefined;
  /** Of a reliable call: whoever repeats it with this id gets its outcome. */
  readonly callId: string | undefined;

  constructor(code: ErrorCode, message: string, parts: ErrorParts = {}) {
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = code;
    this.retryable = parts.retryable ?? false;
    this.reason = parts.reason;
    this.details = parts.details;
    this.retryAfter = parts.retryAfter;
    this.requestId = parts.requestId;
    this.callId = parts.callId;
  }
}

/** An error as frames and batches have it. */
export interface WireError extends ErrorParts {
  readonly code: ErrorCode;
  readonly message: string;
}

export function fromWire({ code, message, ...parts }: WireError): ClientError {
  return new ClientError(code, message, parts);
}

/** What may be sent again, and by which id. */
export interface Repeatable {
  /** It does no harm to send it again. */
  readonly repeat: boolean;
  readonly callId?: string | undefined;
}

/** The connection is gone, and with it the answer. */
export function lost({ repeat, callId }: Repeatable, cause?: unknown): ClientError {
  const message = repeat ? "Cannot reach the host" : "Lost the host: nobody knows whether the call has run";
  return new ClientError("UNAVAILABLE", message, { retryable: repeat, callId, cause });
}
