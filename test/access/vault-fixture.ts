import * as z from "zod";
import type { AccessRule } from "../../src/access/access.ts";
import type { Identity } from "../../src/access/identity.ts";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { authentication } from "../../src/http/authentication.ts";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { partitionClient } from "../../src/partition/client.ts";
import { maintenanceOf } from "../../src/reliable/maintenance.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
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

export const PEOPLE: Readonly<Record<string, Identity | null>> = {
  anonymous: null,
  ann: { id: "ann", roles: ["player"] },
  bob: { id: "bob", roles: ["player"] },
  root: { id: "root", roles: ["admin"] },
};

/** A cluster of two partitions with the HTTP interface of a host. Its clients authenticate by their bare names. */
export function vaults() {
  const cluster = new TestCluster({ objects: [Vault, Thief], access: RULES, partitions: 2 });
  const { registry, config, router, clock, log } = cluster;
  const connect = (name: string) => partitionClient(cluster.partition(name));
  const maintenance = maintenanceOf({ log, router, config, registry, clock, connect });
  const byName = (request: Request) => PEOPLE[request.headers.get("authorization") ?? ""] ?? undefined;
  const http = httpOf(cluster, { authenticate: authentication([byName], {}, clock) });
  const post = async (path: string, person: string, body: unknown = {}, headers: Record<string, string> = {}) => {
    const known = person === "anonymous" ? {} : { authorization: person };
    const request = { method: "POST", headers: { ...known, ...headers }, body: JSON.stringify(body) };
    const response = await clock.until(http(new Request(`http://host${path}`, request)));
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
  };
  return { cluster, http, post, maintenance };
}

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
