import { createConfig, lintFromString } from "@redocly/openapi-core";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import packageJson from "../../package.json" with { type: "json" };
import { VERSION } from "../../src/http/admin/cluster.ts";
import { httpRoutes } from "../../src/http/routes.ts";
import { method } from "../../src/object/method.ts";
import { Registry } from "../../src/object/registry.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { BEARER, httpFixture } from "./http-fixture.ts";

interface Operation {
  readonly operationId: string;
  readonly security: unknown;
  readonly requestBody?: { required: boolean; content: { "application/json": { schema: Schema } } };
  readonly responses: Record<string, Response | { readonly $ref: string }>;
}

interface Response {
  readonly description: string;
  readonly headers?: object;
  readonly content?: object;
}

type Schema = Record<string, unknown> & { properties: Record<string, Record<string, unknown>> };

interface Document {
  readonly openapi: string;
  readonly info: { version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, Schema>; responses: Record<string, Response> };
}

async function documentOf(changes: Parameters<typeof httpFixture>[0] = {}): Promise<Document> {
  const response = await httpFixture(changes).fetch("/api/v1/openapi.json");
  expect(response.status).toBe(200);
  return (await response.json()) as Document;
}

/** Operations, but for those of single methods; responses are looked up. */
async function routes(): Promise<
  (readonly [where: string, operation: Operation & { responses: Record<string, Response> }])[]
> {
  const { paths, components } = await documentOf();
  const found = (response: Response | { readonly $ref: string }) =>
    "$ref" in response ? (components.responses[response.$ref.split("/").at(-1) as string] as Response) : response;
  return Object.entries(paths).flatMap(([path, verbs]) =>
    Object.entries(verbs)
      .filter(([, { operationId }]) => !operationId.includes("."))
      .map(([verb, operation]) => {
        const responses = Object.entries(operation.responses).map(([status, response]) => [status, found(response)]);
        return [`${verb} ${path}`, { ...operation, responses: Object.fromEntries(responses) }] as const;
      }),
  );
}

interface Tree {
  name: string;
  children: Tree[];
}
const tree: z.ZodType<Tree> = z.object({
  name: z.string(),
  get children() {
    return z.array(tree);
  },
});
const money = z.object({ amount: z.number().int(), currency: z.string().length(3) }).meta({ id: "Money" });

/** Methods whose schemas JSON Schema says well, badly or not at all. */
class Shop extends VirtualObject {
  static override readonly type = "Shop";
  static override readonly methods = {
    pay: method({ request: z.object({ price: money, tip: money.optional(), note: z.string().default("") }) }),
    plant: method({ request: tree }),
    search: method({ request: z.object({ page: z.number().int().default(1) }).default({ page: 1 }) }),
    odd: method({
      request: z.object({
        when: z.date(),
        big: z.bigint(),
        text: z.string().transform(Number),
        any: z.custom<number>(),
      }),
    }),
    later: method({ request: z.object({ name: z.string().refine(async () => true) }) }),
    problem: method({ request: z.object({ code: z.string() }).meta({ id: "Problem" }) }),
    open: method(),
    look: method({ readonly: true }),
  };
  pay() {}
  plant() {}
  search() {}
  odd() {}
  later() {}
  problem() {}
  open() {}
  look() {}
}

const shop = new Registry([Shop]);

describe("openapi.json", () => {
  it("[HTTP10] lists exactly the routes that are served", async () => {
    const listed = (await routes()).map(([where]) => where);
    const served = httpRoutes(httpFixture().parts).map(({ doc }) => `${doc.method} ${doc.path}`);
    expect(listed.sort()).toEqual(served.sort());
    const http = httpFixture();
    for (const path of new Set(listed.map((where) => where.split(" ")[1] as string))) {
      for (const verb of ["get", "post", "put", "delete", "patch"]) {
        const init = { method: verb.toUpperCase(), headers: BEARER };
        const response = await http.fetch(path.replaceAll(/\{\w+\}/g, "1"), init);
        expect(response.status === 405, `${verb} ${path}`).toBe(!listed.includes(`${verb} ${path}`));
      }
    }
  });

  it("[HTTP10] lists the problems of every route; admin routes need the token", async () => {
    for (const [where, { responses, security }] of await routes()) {
      const admin = where.includes(" /admin/");
      const called = !admin && /\/(objects|events)\//.test(where);
      expect(security, where).toEqual(admin ? [{ adminToken: [] }] : called ? [{ credentials: [] }, {}] : []);
      expect("401" in responses, where).toBe(admin || called);
      expect(responses["default"]?.content).toHaveProperty("application/problem+json");
      expect(responses["500"]?.description).toContain("INTERNAL");
      for (const response of Object.values(responses)) {
        if (response.content !== undefined) expect(response.headers).toHaveProperty("X-Request-Id");
      }
    }
  });

  it("[HTTP10] says which headers an answer may have", async () => {
    const { responses } = (await documentOf()).components;
    const headers = Object.entries(responses).map(([name, answer]) => [name, Object.keys(answer.headers ?? {})]);
    expect(Object.fromEntries(headers)).toMatchObject({
      "call.200": ["X-Request-Id", "Idempotency-Replayed"],
      "call.202": ["X-Request-Id", "Location", "Preference-Applied"],
      "call.422": ["X-Request-Id", "Idempotency-Replayed"],
      "call.503": ["X-Request-Id", "Idempotency-Replayed", "Retry-After"],
    });
  });

  it("[HTTP10] has a path for each method of the types that are served, with the schema of its request", async () => {
    const { paths, components } = await documentOf({ registry: shop });
    const post = (name: string) => paths[`/api/v1/objects/call/Shop/{id}/${name}`]?.["post"] as Operation;
    expect(post("pay").operationId).toBe("call.Shop.pay");
    expect(post("pay").requestBody).toEqual({
      required: true,
      content: {
        "application/json": {
          schema: {
            type: "object",
            properties: { request: { $ref: "#/components/schemas/Shop.pay" } },
            required: ["request"],
            additionalProperties: false,
          },
        },
      },
    });
    // What is sent, not what the method gets: the note may be left out.
    expect(components.schemas["Shop.pay"]).toMatchObject({
      properties: { price: { $ref: "#/components/schemas/Shop.pay.Money" }, note: { type: "string", default: "" } },
      required: ["price"],
    });
    expect(components.schemas["Shop.pay.Money"]).toMatchObject({ required: ["amount", "currency"] });
    expect(components.schemas["Shop.plant"]?.properties["children"]).toMatchObject({
      items: { $ref: "#/components/schemas/Shop.plant" },
    });
    expect(post("search").requestBody?.required).toBe(false);
    expect(post("later").requestBody?.required).toBe(true);
    expect(post("open").requestBody).toBeUndefined();
  });

  it("[HTTP10] leaves open what JSON Schema can't say", async () => {
    const { components } = await documentOf({ registry: shop });
    expect(components.schemas["Shop.odd"]?.properties).toEqual({
      when: {},
      big: {},
      text: { type: "string" },
      any: {},
    });
  });

  it("[HTTP10] keeps an author's ids apart from its own", async () => {
    const { components } = await documentOf({ registry: shop });
    expect(components.schemas["Problem"]?.properties).toHaveProperty("retryable");
    expect(components.schemas["Shop.problem.Problem"]?.properties).toEqual({ code: { type: "string" } });
    expect(Object.keys(z.toJSONSchema(z.globalRegistry).schemas).sort()).toEqual(["Money", "Problem"]);
  });

  it("[HTTP10] has nothing to say to Redocly's recommended rules", async () => {
    const config = await createConfig({ extends: ["recommended"] });
    const source = JSON.stringify(await documentOf({ registry: shop }));
    const found = await lintFromString({ source, absoluteRef: "/openapi.json", config });
    const texts = found.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`);
    expect(texts).toEqual([]);
    // The rules are on: they see what is wrong here.
    const broken = JSON.stringify({ openapi: "3.1.0", info: { title: "x", version: "1" }, paths: {} });
    expect(await lintFromString({ source: broken, absoluteRef: "/openapi.json", config })).not.toEqual([]);
  });

  it("has the version of the package", async () => {
    expect(VERSION).toBe(packageJson.version);
    expect((await documentOf()).info.version).toBe(VERSION);
  });
});
