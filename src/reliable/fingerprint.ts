import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/**
 * What a call id stands for: SHA-256, as hex, over the method and the request with its keys in order. Two requests that
 * differ only in the order of keys or in white space are the same call.
 */
export function fingerprint(method: string, request: unknown): string {
  return bytesToHex(sha256(utf8ToBytes(`${method}\n${canonical(request)}`)));
}

/** The call id of a call that a reliable call makes: the same on every attempt, another for every caller, call and label. */
export function derivedCallId(callerKey: string, callId: string, label: string): string {
  return bytesToHex(sha256(utf8ToBytes([callerKey, callId, label].join("\n")))).slice(0, 40);
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
