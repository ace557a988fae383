import { type JWTPayload, SignJWT } from "jose";
import * as z from "zod";
import type { AccessRule } from "../../src/access/access.ts";
import type { Identity } from "../../src/access/identity.ts";
import { ApiKeys } from "../../src/coordinator/api-keys.ts";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { identityByKey } from "../../src/http/api-key-authenticator.ts";
import { authentication } from "../../src/http/authentication.ts";
import { KeyVerdicts } from "../../src/http/key-verdicts.ts";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { partitionClient } from "../../src/partition/client.ts";
import type { Clock } from "../../src/platform/ports.ts";
import { maintenanceOf } from "../../src/reliable/maintenance.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import { jwt } from "../../workers/jwt.ts";
import { GateFixture } from "../push/gate-fixture.ts";
import { PEOPLE, type Person } from "./access-table.ts";
import { httpOf } from "./http-of.ts";

const target = z.object({ to: z.string(), method: z.string() });
type Target = z.output<typeof target>;
type Methods = Record<string, (request?: unknown) => Promise<unknown>>;

/** Has a method of every kind of access. Each notes that it ran. */
export class Vault extends VirtualObject.withState(z.object({ ran: z.array(z.string()).default([]) })) {
  static override readonly type = "Vault";
  static override readonly access = { roles: ["player"] };
  static override readonly methods = {
    open: method({ anonymous: true }),
    any: method({ anonymous: false }),
    play: method(),
    mine: method({ owner: true }),
    manage: method({ roles: ["admin", "auditor"] }),
    mineOrAdmin: method({ owner: true, or: { roles: ["admin"] } }),
    hidden: method({ internal: true }),
    closed: method({ anonymous: true }),
    outside: method({ roles: ["nobody has it"] }),
    inside: method({ anonymous: true }),
    ran: method({ readonly: true, anonymous: true }),
    remindMe: method({ anonymous: true, request: z.object({ method: z.string() }) }),
  };

  #note(name: string) {
    this.state.ran.push(name);
    return "ran";
  }
  open() {
    return this.#note("open");
  }
  any() {
    return this.#note("any");
  }
  play() {
    return this.#note("play");
  }
  mine() {
    return this.#note("mine");
  }
  manage() {
    return this.#note("manage");
  }
  mineOrAdmin() {
    return this.#note("mineOrAdmin");
  }
  hidden() {
    return this.#note("hidden");
  }
  closed() {
    return this.#note("closed");
  }
  outside() {
    return this.#note("outside");
  }
  inside() {
    return this.#note("inside");
  }
  ran() {
    return this.state.ran;
  }
  remindMe({ method: name }: { method: string }) {
    this.remind("later", { after: 1_000 }, name as "open");
    return "ran";
  }
}

/** Calls a vault in every way that an object can. Its own clients are all it needs. */
export class Thief extends VirtualObject {
  static override readonly type = "Thief";
  static override readonly access = { anonymous: true };
  static override readonly methods = {
    ask: method({ request: target }),
    askReliably: method({ request: target }),
    take: method({ request: target }),
    send: method({ request: target }),
  };

  ask({ to, method: name }: Target) {
    return (this.object(Vault, to) as unknown as Methods)[name]?.();
  }
  askReliably({ to, method: name }: Target) {
    return (this.object(Vault, to, { callId: this.callIdFor(name) }) as unknown as Methods)[name]?.();
  }
  take({ to, method: name }: Target) {
    return this.transact([[Vault, to]], (vault) => (vault as unknown as Methods)[name]?.());
  }
  send({ to, method: name }: Target) {
    (this.outbox(Vault, to) as unknown as Methods)[name]?.();
    return "ran";
  }
}

/** What the host says over it. */
export const RULES: readonly AccessRule[] = [
  { type: "Vault", method: "closed", access: "REJECT" },
  { type: "V*t", method: "out*", access: "EXTERNAL", anonymous: true },
  { type: "*", method: "inside", access: "INTERNAL" },
  { type: "Vault", method: "*", id: "nobody-*", access: "REJECT" },
  // For clients there is no such method, whatever a rule says.
  { type: "Vault", method: "hidden", access: "ALLOW", anonymous: true },
];

/** A cluster of two partitions with the HTTP interface of a host. Its clients authenticate by their bare names. */
export function vaults() {
  const cluster = new TestCluster({ objects: [Vault, Thief], access: RULES, partitions: 2 });
  const { registry, config, router, clock, log } = cluster;
  const connect = (name: string) => partitionClient(cluster.partition(name));
  const maintenance = maintenanceOf({ log, router, config, registry, clock, connect });
  const byName = (request: Request) => personOf(request.headers.get("authorization") ?? "");
  const keys = new ApiKeys(cluster.storage("coordinator"), clock);
  // Digests and signatures are made beside the test's clock, which must not run out of patience with them.
  const patient: Clock = { now: () => clock.now(), after: () => () => undefined, soon: (action) => clock.soon(action) };
  const verdicts = new KeyVerdicts({ clock: patient, find: (prefix, hash) => keys.find(prefix, hash) });
  const byKey = (request: Request) => identityByKey(request, () => verdicts);
  const byToken = jwt({ issuer: ISSUER, audience: "shop", secret: () => SECRET });
  const http = httpOf(cluster, {
    authenticate: authentication([byName, byKey, byToken], {}, patient),
    adminRoles: { viewer: ["admin"] },
  });
  const post = async (path: string, person: string, body: unknown = {}, headers: Record<string, string> = {}) => {
    const known = person === "anonymous" ? {} : { authorization: person };
    const request = { method: "POST", headers: { ...known, ...headers }, body: JSON.stringify(body) };
    const response = await clock.until(http(new Request(`http://host${path}`, request)));
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
  };
  /** Calls with a bearer token, or without one. */
  const call = async (id: string, method: string, bearer: string | undefined) => {
    const headers: Record<string, string> = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
    const { body } = await post(`/api/v1/objects/call/Vault/${id}/${method}`, "anonymous", {}, headers);
    return body.response ?? body.code;
  };
  const made = new Map<Person, Promise<string>>();
  const makeKey = async (identity: Identity): Promise<string> => {
    const headers = { authorization: "Bearer t" };
    return (await post("/admin/v1/keys", "anonymous", { identity }, headers)).body["key"] as string;
  };
  /** The credentials of a person. */
  const keyOf = async (person: Person): Promise<string | undefined> => {
    const identity = PEOPLE[person];
    if (identity === null) return undefined;
    const known = made.get(person) ?? makeKey(identity);
    made.set(person, known);
    return known;
  };
  const tokenOf = (person: Person) => TOKENS[person];
  // Another gate than the cluster's own: a connection of it says what it is told.
  const gate = new GateFixture(
    undefined,
    {},
    {
      registry,
      batch: (messages, answered) => router.batch(messages, answered),
    },
  );
  return { cluster, gate, http, post, call, keyOf, tokenOf, makeKey, maintenance };
}

function personOf(name: string): Identity | undefined {
  return Object.hasOwn(PEOPLE, name) ? (PEOPLE[name as Person] ?? undefined) : undefined;
}

const ISSUER = "https://id.test";
export const SECRET = "the tests sign with this secret, and with no other";
export const CLAIMS = { iss: ISSUER, aud: "shop" };

/** Signs a token with the secret, unless another key is given. It outlasts the test's clock, which is ahead of ours. */
export function signed(claims: JWTPayload, key = SECRET, exp: number | string = "10y"): Promise<string> {
  const token = new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader({ alg: "HS256" }).setExpirationTime(exp);
  return token.sign(new TextEncoder().encode(key));
}

const TOKENS: Readonly<Record<string, string>> = Object.fromEntries(
  await Promise.all(
    Object.values(PEOPLE).flatMap((identity) =>
      identity === null
        ? []
        : [signed({ sub: identity.id, roles: [...identity.roles] }).then((token) => [identity.id, token] as const)],
    ),
  ),
);

/** What a call gives, or the code that it fails with. */
export async function outcome(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    return EdgeverseError.from(error).code;
  }
}

export interface Answer {
  readonly code?: string;
  readonly detail?: string;
  readonly response?: unknown;
  readonly results?: readonly { readonly response?: unknown; readonly error?: { readonly code: string } }[];
  readonly [member: string]: unknown;
}
