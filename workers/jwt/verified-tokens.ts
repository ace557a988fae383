import type { Identity } from "../../src/access/identity.ts";

/** Characters of all tokens that are remembered. */
const MOST = 2 * 1024 * 1024;
/** Ms for which a token is taken without a look at its signature: so long an issuer's change may take to count. */
const AT_MOST = 60_000;

/** Tokens that were verified a moment ago: a client calls many times with one. The oldest give way. */
export class VerifiedTokens {
  readonly #tokens = new Map<string, { readonly identity: Identity; readonly until: number }>();
  #characters = 0;

  get(token: string): Identity | undefined {
    const known = this.#tokens.get(token);
    if (known === undefined) return undefined;
    if (Date.now() < known.until) return known.identity;
    this.#drop(token);
    return undefined;
  }

  /** @param expires ms since the epoch */
  add(token: string, identity: Identity, expires: number): void {
    this.#drop(token);
    this.#tokens.set(token, { identity, until: Math.min(expires, Date.now() + AT_MOST) });
    this.#characters += token.length;
    for (const oldest of this.#tokens.keys()) {
      if (this.#characters <= MOST) break;
      this.#drop(oldest);
    }
  }

  #drop(token: string): void {
    if (this.#tokens.delete(token)) this.#characters -= token.length;
  }
}
