import { ClientError } from "./client-error.ts";

/** A bearer token, or what gets one: it is called again when the last one ends, or is refused. */
export type TokenSource = string | (() => string | undefined | Promise<string | undefined>);

/** A token is exchanged so many ms before its end, or at half of its life if that is shorter. */
const AHEAD = 30_000;

/** The token in use, and its end. */
export class Tokens {
  readonly #source: TokenSource | undefined;
  #token: string | undefined;
  /** When to get another, in ms of `Date.now`. */
  #renewAt = Number.POSITIVE_INFINITY;
  #coming: Promise<string | undefined> | undefined;

  constructor(source: TokenSource | undefined) {
    this.#source = source;
    if (typeof source === "string") this.#token = source;
  }

  get canRenew(): boolean {
    return typeof this.#source === "function";
  }

  /** Ms until the token should be exchanged; undefined when it has no end that could be read. */
  get renewsIn(): number | undefined {
    return Number.isFinite(this.#renewAt) ? Math.max(0, this.#renewAt - Date.now()) : undefined;
  }

  /** @throws ClientError `UNAUTHENTICATED` when none can be had */
  async get(): Promise<string | undefined> {
    if (this.#coming !== undefined) return this.#coming;
    if (!this.canRenew || (this.#token !== undefined && Date.now() < this.#renewAt)) return this.#token;
    return this.#fetch();
  }

  /** The host has refused `token`: gets another, once for all who ask meanwhile. */
  async renew(token: string | undefined): Promise<string | undefined> {
    return token === this.#token ? this.#fetch() : this.get();
  }

  #fetch(): Promise<string | undefined> {
    this.#coming ??= this.#ask().finally(() => {
      this.#coming = undefined;
    });
    return this.#coming;
  }

  async #ask(): Promise<string | undefined> {
    try {
      this.#token = await (this.#source as () => Promise<string | undefined>)();
    } catch (cause) {
      throw new ClientError("UNAUTHENTICATED", "Cannot get a token", { cause });
    }
    const life = lifeOf(this.#token);
    this.#renewAt = Date.now() + life - Math.min(AHEAD, life / 2);
    return this.#token;
  }
}

/**
 * Ms that a token lives on, if it is a JSON Web Token that says so. The clock of this machine may be wrong by more than that: so
 * no longer than from when the token was made, and as long as that if it seems to have ended.
 */
function lifeOf(token: string | undefined): number {
  try {
    const [, payload = ""] = (token ?? "").split(".");
    const { exp, iat } = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    if (typeof exp !== "number") return Number.POSITIVE_INFINITY;
    const left = exp * 1_000 - Date.now();
    const whole = typeof iat === "number" ? (exp - iat) * 1_000 : Math.max(0, left);
    return left > 0 ? Math.min(left, whole) : whole;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
