import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { EdgeverseError } from "../errors/edgeverse-error.ts";

/** Characters of the longest fingerprint. */
const LONGEST = 64;

/**
 * What a call id stands for: the method and the request with its keys in order; their SHA-256, as hex, when they are longer
 * than that is. Two requests that differ only in the order of keys or in white space are the same call.
 *
 * @param who the id of a client's identity: its call is no other client's
 */
export function fingerprint(method: string, request: unknown, who?: string): string {
  const text = `${method}\n${canonical(request)}`;
  const print = text.length > LONGEST ? sha(text) : text;
  return who === undefined ? print : `${print}\n@${hashOf(who)}`;
}

/** Whether a call may be told to who repeats it or asks for it, by its fingerprint: that of no identity is anybody's. */
export function isOf(print: string, who: string | undefined): boolean {
  const [, owner] = /\n@([0-9a-f]{32})$/.exec(print) ?? [];
  return owner === undefined || (who !== undefined && hashOf(who) === owner);
}

function hashOf(who: string): string {
  return sha(who).slice(0, 32);
}

/** Whether a stored fingerprint is `print`. Calls that older code stored have a hash, however short they are. */
export function isFingerprint(stored: string, print: string): boolean {
  return stored === print || (print.includes("\n") && stored === sha(print));
}

/** @throws EdgeverseError `CALL_ID_REUSED` when `known` is a call of another method or request */
export function checkSame(known: { readonly method: string; readonly requestHash: string }, print: string): void {
  if (isFingerprint(known.requestHash, print)) return;
  throw new EdgeverseError(
    "CALL_ID_REUSED",
    `The call id named a call of ${known.method} with another request or method`,
  );
}

/** The call id of a call that a reliable call makes: the same on every attempt, another for every caller, call and label. */
export function derivedCallId(callerKey: string, callId: string, label: string): string {
  return sha([callerKey, callId, label].join("\n")).slice(0, 40);
}

function sha(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}

function canonical(value: unknown): string {
  if (value === undefined) return "null";
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical((value as Record<string, unknown>)[key])}`);
  return `{${members.join(",")}}`;
}
