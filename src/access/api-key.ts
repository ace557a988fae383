import { hex, sha256 } from "../platform/digest.ts";
import type { Random } from "../platform/ports.ts";
import type { Identity } from "./identity.ts";

/** What of a key is kept: nothing that it could be made of again. */
export interface ApiKeyRecord {
  /** Names the key. No secret: lists and the audit have it. */
  readonly prefix: string;
  /**
   * SHA-256 of the whole text, in hexadecimal. No slow hash, and no salt: those make guesses dear where people choose what is
   * hashed, and nobody guesses 256 random bits, however fast.
   */
  readonly hash: string;
  readonly identity: Identity;
  /** Ms since the epoch; null: it has no end. */
  readonly expiresAt: number | null;
}

const BEGINNING = "evk_";
const SHAPE = /^evk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

/** Whether this wants to be a key, if maybe a wrong one. */
export function isLikeApiKey(text: string): boolean {
  return text.startsWith(BEGINNING);
}

/** What a key is looked up by; undefined for what is no key. */
export function prefixOf(text: string): string | undefined {
  return SHAPE.exec(text)?.[1];
}

export async function hashOf(text: string): Promise<string> {
  return hex(await sha256(text));
}

/** A new key. `text` is the secret, which is shown once. */
export async function newApiKey(random: Random): Promise<{ text: string; prefix: string; hash: string }> {
  // Three UUIDs have 366 random bits, and their hash has as many of them as it has room for.
  const secret = await sha256(`${random.uuid()} ${random.uuid()} ${random.uuid()}`);
  const prefix = hex((await sha256(random.uuid())).subarray(0, 6));
  const text = `${BEGINNING}${prefix}_${base64url(secret)}`;
  return { text, prefix, hash: await hashOf(text) };
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
