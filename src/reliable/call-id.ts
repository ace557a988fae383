import { EdgeverseError } from "../errors/edgeverse-error.ts";

const CALL_ID = /^[\x21-\x7e]{1,255}$/;
const UUID7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const ULID = /^([0-7][0-9A-HJKMNP-TV-Z]{9})[0-9A-HJKMNP-TV-Z]{16}$/i;
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** @throws EdgeverseError `INVALID_ARGUMENT` unless `callId` is 1–255 visible ASCII characters */
export function checkCallId(callId: string): void {
  if (CALL_ID.test(callId)) return;
  throw new EdgeverseError("INVALID_ARGUMENT", "Cannot use the call id: it must be 1 to 255 visible ASCII characters");
}

/** When a UUIDv7 (RFC 9562) or ULID was made, ms since the epoch; undefined for any other id. */
export function callIdTime(callId: string): number | undefined {
  const uuid = UUID7.exec(callId);
  if (uuid !== null) return Number.parseInt(`${uuid[1]}${uuid[2]}`, 16);
  const ulid = ULID.exec(callId);
  if (ulid === null) return undefined;
  let time = 0;
  for (const letter of (ulid[1] as string).toUpperCase()) time = time * 32 + CROCKFORD.indexOf(letter);
  return time;
}

/** A UUIDv7 (RFC 9562) of this time: `uuid` gives what is random in it. */
export function newCallId(time: number, uuid: string): string {
  const hex = Math.floor(time).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${uuid.slice(15)}`;
}

/**
 * [CALL9] Refuses an id whose mark may have been removed already, so that it can't run a second time.
 * @throws EdgeverseError `EXPIRED_CALL_ID`
 */
export function checkCallIdAge(callId: string, now: number, retention: number): void {
  const made = callIdTime(callId);
  if (made === undefined || made >= now - retention) return;
  throw new EdgeverseError("EXPIRED_CALL_ID", "The call id is older than call marks are kept: it may have run already");
}
