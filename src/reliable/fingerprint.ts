import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** Characters of the longest fingerprint. */
const LONGEST = 64;

/**
 * What a call id stands for: the method and the request with its keys in order; their SHA-256, as hex, when they are longer
 * than that is. Two requests that differ only in the order of keys or in white space are the same call.
 */
export function fingerprint(method: string, request: unknown): string {
  const text = `${method}\n${canonical(request)}`;
  return text.length > LONGEST ? sha(text) : text;
}

/** Whether a stored fingerprint is `print`. Calls that older code stored have a hash, however short they are. */
export function isFingerprint(stored: string, print: string): boolean {
  return stored === print || (print.includes("\n") && stored === sha(print));
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
