import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { checkCallId } from "../reliable/call-id.ts";

const QUOTED = /^"((?:[ !\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * The call id in an `Idempotency-Key`: bare, or a quoted string as draft-ietf-httpapi-idempotency-key-header writes it.
 * @throws EdgeverseError `INVALID_ARGUMENT`
 */
export function idempotencyKey(header: string): string {
  let callId = header;
  if (header.startsWith('"')) {
    const match = QUOTED.exec(header);
    if (match === null)
      throw new EdgeverseError("INVALID_ARGUMENT", "Cannot read Idempotency-Key: a quote is not closed");
    callId = (match[1] as string).replace(/\\(.)/g, "$1");
  }
  checkCallId(callId);
  return callId;
}
