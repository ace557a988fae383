import { type ApiKeyRecord, hashOf, prefixOf } from "../access/api-key.ts";
import { checkIdentity, type Identity, withCredential } from "../access/identity.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { isSame } from "../platform/digest.ts";
import type { Clock } from "../platform/ports.ts";
import { within } from "../platform/within.ts";

/** Ms for which what the coordinator said of a key counts: so long a revocation may take. */
const COUNTS = 30_000;
/** Ms after which a key in use is asked for again, and between two attempts: one request asks, others go on meanwhile. */
const ASK_AFTER = 20_000;
const ASK_AGAIN = 2_000;
const ANSWER_WITHIN = 5_000;
/** Bytes, about, of the keys that are remembered; and prefixes without a key. */
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_UNKNOWN = 10_000;
/** What one prefix that nobody knows costs. Guessers have so many at once, and so many a second. */
const GUESSES = 100;
const GUESSES_PER_SECOND = 10;

interface Known {
  readonly hash: Uint8Array;
  readonly identity: Identity;
  readonly bytes: number;
  readonly until: number;
  askAt: number;
  /** The key itself, once it was seen here: to compare takes a tenth of what hashing does. */
  text?: Uint8Array;
}

interface Parts {
  readonly clock: Clock;
  /** Asks the coordinator. Rejects when it can't be reached. */
  readonly find: (prefix: string, hash: string) => Promise<ApiKeyRecord | null>;
}

const encoder = new TextEncoder();

/**
 * What a process knows of API keys ([ACC5]). The coordinator is asked when a key is new here, and then at most every 20 s while
 * it is used. Guesses of prefixes are bounded, so that they can't flood the coordinator; guesses of secrets ask nobody.
 *
 * No request waits for what another one asks: in Workers that other one may end before it has heard.
 */
export class KeyVerdicts {
  readonly #parts: Parts;
  readonly #known = new Map<string, Known>();
  /** Until when a prefix counts as one without a key. */
  readonly #unknown = new Map<string, number>();
  #bytes = 0;
  #guesses = { left: GUESSES, at: Number.NEGATIVE_INFINITY };

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** For whom a key speaks. @throws EdgeverseError `UNAUTHENTICATED`, `RATE_LIMITED`, `UNAVAILABLE` */
  async identityOf(text: string): Promise<Identity> {
    const prefix = prefixOf(text);
    if (prefix === undefined) throw refused("it is malformed");
    const seen = this.#known.get(prefix);
    if (seen?.text !== undefined && this.#parts.clock.now() < Math.min(seen.askAt, seen.until)) {
      if (isSame(seen.text, encoder.encode(text))) return seen.identity;
    }
    const hash = await hashOf(text);
    const now = this.#parts.clock.now();
    const known = this.#known.get(prefix);
    if (known !== undefined && now < known.until) {
      if (now < known.askAt) {
        const identity = checked(known, hash);
        known.text = encoder.encode(text);
        return identity;
      }
      known.askAt = now + ASK_AGAIN;
      // While the coordinator is away, it goes on to count for the rest of its time.
      const still = (error: unknown) => {
        if (this.#parts.clock.now() < known.until) return known;
        throw error;
      };
      return checked(await this.#ask(prefix, hash).catch(still), hash);
    }
    if ((this.#unknown.get(prefix) ?? 0) > now) throw refused();
    if (known === undefined) this.#guess(now);
    const found = await this.#ask(prefix, hash);
    if (known === undefined && found !== undefined) this.#guesses.left++;
    return checked(found, hash);
  }

  async #ask(prefix: string, hash: string): Promise<Known | undefined> {
    const { clock, find } = this.#parts;
    const asked = clock.now();
    const record = await within(clock, ANSWER_WITHIN, asking(find, prefix, hash), away);
    this.#forget(prefix);
    const until = Math.min(asked + COUNTS, record?.expiresAt ?? Number.POSITIVE_INFINITY);
    if (record === null) {
      this.#unknown.delete(prefix);
      this.#unknown.set(prefix, until);
      for (const oldest of this.#unknown.keys()) {
        if (this.#unknown.size <= MOST_UNKNOWN) break;
        this.#unknown.delete(oldest);
      }
      return undefined;
    }
    const { identity: owner, hash: right, expiresAt } = record;
    // A connection that it opened ends with it, and when it is revoked.
    const identity = withCredential(checkIdentity({ ...owner, ...(expiresAt === null ? {} : { expiresAt }) }), prefix);
    const bytes = 512 + JSON.stringify(identity).length * 2;
    const known = {
      hash: encoder.encode(right),
      identity,
      bytes,
      until,
      askAt: asked + ASK_AFTER,
    };
    this.#known.set(prefix, known);
    this.#bytes += bytes;
    for (const oldest of this.#known.keys()) {
      if (this.#bytes <= MOST_BYTES) break;
      this.#forget(oldest);
    }
    return known;
  }

  #forget(prefix: string): void {
    const known = this.#known.get(prefix);
    if (known === undefined) return;
    this.#known.delete(prefix);
    this.#bytes -= known.bytes;
  }

  /** @throws EdgeverseError `RATE_LIMITED` */
  #guess(now: number): void {
    const { left, at } = this.#guesses;
    const grown = Math.min(GUESSES, left + ((now - at) / 1_000) * GUESSES_PER_SECOND);
    this.#guesses = { left: grown - 1, at: now };
    if (grown >= 1) return;
    this.#guesses.left = grown;
    throw new EdgeverseError("RATE_LIMITED", "Too many unknown API keys were tried here", { retryAfter: 1 });
  }
}

async function asking(find: Parts["find"], prefix: string, hash: string): Promise<ApiKeyRecord | null> {
  try {
    return await find(prefix, hash);
  } catch (cause) {
    throw away(cause);
  }
}

/** Neither what is there nor how much of it fits is told. */
function checked(known: Known | undefined, hash: string): Identity {
  if (known === undefined || !isSame(known.hash, encoder.encode(hash))) throw refused();
  return known.identity;
}

function refused(why = "it is unknown, revoked or expired"): EdgeverseError {
  return new EdgeverseError("UNAUTHENTICATED", `The API key can't be taken: ${why}`);
}

function away(cause?: unknown): EdgeverseError {
  return new EdgeverseError("UNAVAILABLE", "The coordinator, which knows the API keys, can't be reached", {
    cause,
    retryAfter: 1,
  });
}
