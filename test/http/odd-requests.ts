import * as z from "zod";
import type { RouteDoc } from "../../src/http/route.ts";
import { Chance, oddBytes, oddSegment, oddText, oddToken } from "./odd-values.ts";

/** A request that may be sent by anything that reaches a port. */
export interface OddRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array<ArrayBuffer> | undefined;
}

/** Tokens that open something, by what they open. */
export interface Tokens {
  readonly admin: readonly string[];
  readonly client: readonly string[];
}

/** Values that fit, by the names of parameters and members. */
export type Fitting = Readonly<Record<string, readonly unknown[]>>;

type Schema = Readonly<Record<string, unknown>> & {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
};

const METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "QUERY"];
const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "then", "", "x"];
const NUMBERS = [0, -1, 1, 1.5, 8, 1e15, 1e308, -0, 2 ** 53 + 2, 2 ** 31];

/**
 * Requests of a table of routes: most of them nearly right, so that they get behind the first check. What a route takes is read
 * from its documentation, so a new route is covered by being there.
 */
export class OddRequests {
  readonly #chance: Chance;
  readonly #docs: readonly RouteDoc[];
  readonly #fitting: Fitting;
  readonly #tokens: Tokens;
  readonly #bodies = new Map<RouteDoc, Schema>();

  constructor(seed: number, docs: readonly RouteDoc[], fitting: Fitting, tokens: Tokens) {
    this.#chance = new Chance(seed);
    this.#docs = docs;
    this.#fitting = fitting;
    this.#tokens = tokens;
  }

  next(): OddRequest {
    const { pick, one } = this.#chance;
    const doc = pick(this.#docs);
    const method = one(12) ? pick(METHODS) : doc.method.toUpperCase();
    const path = `${this.#path(doc)}${this.#query(doc)}`;
    const body = method === "GET" || method === "HEAD" ? undefined : this.#body(doc);
    return { method, path, headers: this.#headers(doc), body };
  }

  #path(doc: RouteDoc): string {
    const { pick, one } = this.#chance;
    const path = doc.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      one(4) ? oddSegment(this.#chance) : encodeURIComponent(String(this.#fit(name))),
    );
    if (!one(15)) return path;
    const at = this.#chance.below(path.length);
    return pick([
      () => `${path}/`,
      () => path.replace("/", "//"),
      () => path.toUpperCase(),
      () => `${path}/${oddSegment(this.#chance)}`,
      () => `${path.slice(0, at)}/../${path.slice(at)}`,
      () => `${path.slice(0, at)}%2e%2e%2f${path.slice(at)}`,
      () => path.slice(0, Math.max(1, at)),
      () => path.replaceAll(/[a-z]/g, (letter) => (one(9) ? `%${letter.charCodeAt(0).toString(16)}` : letter)),
      () => `${path}${"/a".repeat(this.#chance.below(5_000))}`,
    ])();
  }

  #query(doc: RouteDoc): string {
    const { pick, one } = this.#chance;
    const known = Object.keys(doc.query?.shape ?? {});
    if (known.length === 0 && !one(20)) return "";
    const parts: string[] = [];
    for (const name of [...known, ...NAMES]) {
      if (!one(known.includes(name) ? 3 : 60)) continue;
      const value = one(3) ? oddText(this.#chance) : String(this.#fit(name));
      parts.push(
        one(20) ? pick(["%", "&&", "=", "%ff", `${name}[]`]) : `${name}=${encodeURIComponent(value.toWellFormed())}`,
      );
      if (one(15)) parts.push(`${name}=twice`);
    }
    return parts.length === 0 ? "" : `?${parts.join("&")}`;
  }

  #headers(doc: RouteDoc): [string, string][] {
    const { pick, one } = this.#chance;
    const headers: [string, string][] = [];
    const token = this.#token(doc);
    if (token !== undefined) headers.push(["authorization", token]);
    for (const name of Object.keys(doc.headers?.shape ?? {}))
      if (one(5)) headers.push([name, one(2) ? oddText(this.#chance) : String(this.#fit(name.toLowerCase()))]);
    for (const [name, values] of EXTRA)
      if (one(25)) headers.push([name, one(4) ? oddText(this.#chance) : pick(values)]);
    if (headers.length > 0 && one(20)) headers.push(pick(headers));
    return headers;
  }

  #token(doc: RouteDoc): string | undefined {
    const { pick, one } = this.#chance;
    const own = doc.path.startsWith("/admin") ? this.#tokens.admin : this.#tokens.client;
    if (own.length > 0 && !one(4)) return `Bearer ${pick(own)}`;
    return one(2) ? undefined : oddToken(this.#chance, [...this.#tokens.admin, ...this.#tokens.client]);
  }

  #body(doc: RouteDoc): Uint8Array<ArrayBuffer> | undefined {
    const { one } = this.#chance;
    if (one(10)) return undefined;
    const value = doc.body === undefined ? {} : this.#value(this.#schemaOf(doc), "", 0);
    return oddBytes(this.#chance, JSON.stringify(value) ?? "");
  }

  #schemaOf(doc: RouteDoc): Schema {
    let schema = this.#bodies.get(doc);
    if (schema === undefined) {
      schema = z.toJSONSchema(doc.body as z.ZodType, { io: "input", unrepresentable: "any", cycles: "ref" }) as Schema;
      this.#bodies.set(doc, schema);
    }
    return schema;
  }

  #value(schema: Schema, name: string, depth: number): unknown {
    const { pick, one, below } = this.#chance;
    if (one(12) || depth > 5) return this.#odd(depth);
    const { properties, items, anyOf, oneOf } = schema;
    const either = anyOf ?? oneOf;
    if (either !== undefined) return this.#value(pick(either), name, depth);
    if (schema.enum !== undefined) return pick(schema.enum);
    if (properties !== undefined) {
      const made: Record<string, unknown> = {};
      for (const [key, inner] of Object.entries(properties))
        if (!one(4)) made[key] = this.#value(inner, key, depth + 1);
      if (one(15)) Object.defineProperty(made, pick(NAMES), { value: this.#odd(depth), enumerable: true });
      return made;
    }
    if (items !== undefined) {
      const count = one(40) ? 1_001 : below(4);
      return Array.from({ length: count }, () => (count > 10 ? {} : this.#value(items, name, depth + 1)));
    }
    return one(3) ? this.#odd(depth) : this.#fit(name);
  }

  #odd(depth: number): unknown {
    const { pick, one, below } = this.#chance;
    if (one(3)) return oddText(this.#chance);
    if (one(3)) return pick(NUMBERS);
    if (one(3) || depth > 5) return pick([true, false, null]);
    if (one(2)) return Array.from({ length: below(4) }, () => this.#odd(depth + 1));
    return Object.fromEntries(Array.from({ length: below(3) }, () => [pick(NAMES), this.#odd(depth + 1)]));
  }

  #fit(name: string): unknown {
    return this.#chance.pick(this.#fitting[name] ?? ["1", 1, "a"]);
  }
}

const EXTRA: readonly (readonly [string, readonly string[]])[] = [
  ["idempotency-key", ["k1", '"k2"', "", "a/b", "x".repeat(300), '"', "k1, k2"]],
  ["edgeverse-timeout", ["1", "1000", "-1", "1e3", "1s", "999999999999999999999", "NaN"]],
  ["edgeverse-expires-in", ["1", "60000", "0", "1.5"]],
  ["edgeverse-not-before", ["1", "2027-01-15T08:00:01.000Z", "tomorrow", "9999999999999999", "-1"]],
  ["edgeverse-log", ["write-ahead", "write-behind", "off", "__proto__"]],
  ["prefer", ["respond-async", "respond-async, wait=5", "return=minimal", ","]],
  ["traceparent", ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0-0-0", "ff".repeat(60)]],
  ["x-request-id", ["same", "a b", "é", "x".repeat(65), "..", "__proto__"]],
  ["content-type", ["text/plain", "application/json; charset=utf-16", "multipart/form-data; boundary=", "x"]],
  ["content-length", ["0", "5", "99999999999", "-1", "0x10"]],
  ["origin", ["https://evil.example", "null", "http://host.test", "file://"]],
  ["access-control-request-method", ["POST", "TRACE"]],
  ["sec-fetch-site", ["cross-site", "same-origin"]],
  ["upgrade", ["websocket", "h2c"]],
  ["accept", ["text/html", "*/*", "application/json;q=x"]],
  ["cookie", ["a=b", "y".repeat(17_000)]],
  ["authorization", ["Basic YTpi", "Bearer", "x".repeat(17_000)]],
  ["x-forwarded-for", ["127.0.0.1", "::1, evil"]],
  ["x-edgeverse-identity", ['{"id":"root","roles":["admin"]}']],
];
