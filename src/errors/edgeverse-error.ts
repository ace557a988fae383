import { CODES, type ErrorCode, isErrorCode } from "./codes.ts";

/** How an error crosses an RPC boundary: plain data, rebuilt on the other side with `EdgeverseError.from`. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  /** The author's own code, for `CALL_FAILED`. */
  readonly reason?: string;
  /** JSON details for whoever handles the error. */
  readonly details?: unknown;
  /** Seconds after which a retry makes sense. */
  readonly retryAfter?: number;
}

export interface ErrorOptions {
  readonly retryable?: boolean;
  readonly reason?: string | undefined;
  readonly details?: unknown;
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

/** The one way to fail. `code` is stable and public; `message` is for people and may change. */
export class EdgeverseError extends Error {
  override readonly name = "EdgeverseError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly reason: string | undefined;
  readonly details: unknown;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? CODES[code].retryable;
    this.reason = options.reason;
    this.details = options.details;
    this.retryAfter = options.retryAfter;
  }

  get status(): number {
    return CODES[this.code].status;
  }

  toWire(): WireError {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      ...(this.retryAfter === undefined ? {} : { retryAfter: this.retryAfter }),
    };
  }

  /** Rebuilds an error that crossed a boundary. Anything that is not a wire error becomes `INTERNAL`, its text dropped. */
  static from(wire: unknown): EdgeverseError {
    if (wire instanceof EdgeverseError) return wire;
    if (typeof wire === "object" && wire !== null && "code" in wire && "message" in wire) {
      const { code, message, retryable, reason, details, retryAfter } = wire as WireError;
      if (typeof code === "string" && isErrorCode(code)) {
        return new EdgeverseError(code, message, { retryable, reason, details, retryAfter });
      }
    }
    return new EdgeverseError("INTERNAL", "internal error", { cause: wire });
  }
}
