import type { Identity } from "../access/identity.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { DisconnectCall } from "./farewells.ts";
import { checkPattern, covers } from "./topic.ts";

/** Who may: without a condition every client that is authenticated. */
export interface ClientRule {
  /** True: also clients that nobody has authenticated. */
  readonly anonymous?: boolean;
  /** One of these roles is needed. */
  readonly roles?: readonly string[];
}

/** Who may listen to the topics of a pattern. */
export interface TopicRule extends ClientRule {
  /** True: the last segment of the topic must be the id of the client's identity. */
  readonly owner?: boolean;
  /** True: they may take part, which is to see who else does and to be seen ([PUSH13]). */
  readonly presence?: boolean;
}

/** What a host lets clients do over a socket. What it does not name is denied. */
export interface PushOptions {
  /** Who may connect; without it whoever may listen to any topic. */
  readonly connect?: ClientRule;
  /** Topics by pattern, such as `"room/*"` or `"log/**"`, and who may listen to them. */
  readonly topics?: Readonly<Record<string, TopicRule>>;
  /**
   * The method of one object that is called, once, when a client's session has ended ([PUSH3]): with `{ client, identity }`.
   * `method({ internal: true, request: clientGone })` is one.
   */
  readonly onDisconnect?: DisconnectCall;
  /** Origins of pages that may connect, such as `"https://example.com"`, beside pages of the host itself. `"*"` is all. */
  readonly origins?: readonly string[];
}

/** Decides who may connect, and listen to what: the one place that does. */
export class PushRules {
  readonly #connect: readonly ClientRule[];
  readonly #topics: readonly { readonly pattern: readonly string[]; readonly rule: TopicRule }[];
  readonly #origins: ReadonlySet<string>;

  /** @throws EdgeverseError `INVALID_ARGUMENT` naming a pattern that is none */
  constructor({ connect, topics = {}, origins = [] }: PushOptions) {
    this.#topics = Object.entries(topics).map(([pattern, rule]) => ({ pattern: checkPattern(pattern), rule }));
    this.#connect = connect === undefined ? this.#topics.map(({ rule }) => rule) : [connect];
    this.#origins = new Set(origins);
  }

  /** @throws EdgeverseError `UNAUTHENTICATED`, `ACCESS_DENIED` */
  checkConnect(identity: Identity | null): void {
    if (this.#connect.some((rule) => fits(rule, identity))) return;
    if (identity === null) throw new EdgeverseError("UNAUTHENTICATED", "Only clients that are known may connect here");
    throw new EdgeverseError("ACCESS_DENIED", "No rule of this host lets this client connect");
  }

  /**
   * Other sites' pages may not open connections with a visitor's cookies.
   * @throws EdgeverseError `ACCESS_DENIED`
   */
  checkOrigin(origin: string | null, host: string): void {
    if (origin === null || this.#origins.has("*") || this.#origins.has(origin)) return;
    if (URL.canParse(origin) && new URL(origin).host === host) return;
    throw new EdgeverseError("ACCESS_DENIED", "Pages of this origin may not connect: see the option push.origins");
  }

  /** @throws EdgeverseError `ACCESS_DENIED` */
  checkListen(identity: Identity | null, pattern: readonly string[]): void {
    if (!this.#allows(identity, pattern, () => true))
      throw new EdgeverseError("ACCESS_DENIED", "No rule of this host lets this client listen to the topic");
  }

  /** @throws EdgeverseError `ACCESS_DENIED` */
  checkPresence(identity: Identity | null, topic: readonly string[]): void {
    if (!this.#allows(identity, topic, ({ presence }) => presence === true))
      throw new EdgeverseError("ACCESS_DENIED", "No rule of this host lets this client see who is on the topic");
  }

  #allows(identity: Identity | null, pattern: readonly string[], more: (rule: TopicRule) => boolean): boolean {
    return this.#topics.some(
      ({ pattern: outer, rule }) =>
        covers(outer, pattern) &&
        fits(rule, identity) &&
        (rule.owner !== true || isOwn(pattern, identity)) &&
        more(rule),
    );
  }
}

function fits({ anonymous, roles }: ClientRule, identity: Identity | null): boolean {
  if (identity === null) return anonymous === true && roles === undefined;
  return roles === undefined || roles.some((role) => identity.roles.includes(role));
}

/** A pattern is nobody's own, whatever an identity may be called. */
function isOwn(pattern: readonly string[], identity: Identity | null): boolean {
  const last = pattern.at(-1);
  return identity !== null && last === identity.id && last !== "*" && last !== "**";
}
