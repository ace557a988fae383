import { describe, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { VERSION } from "../../src/http/admin/cluster.ts";
import { httpRoutes } from "../../src/http/routes.ts";
import { BEARER, httpFixture } from "./http-fixture.ts";

interface Document {
  openapi: string;
  info: { version: string };
  paths: Record<string, Record<string, { security?: unknown; responses: Record<string, { content: object }> }>>;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
}

async function document(): Promise<Document> {
  const response = await httpFixture().fetch("/api/v1/openapi.json");
  expect(response.status).toBe(200);
  return (await response.json()) as Document;
}

describe("openapi.json", () => {
  it("§9: lists exactly the routes that are served", async () => {
    const { paths, openapi } = await document();
    expect(openapi).toBe("3.1.0");
    const listed = Object.entries(paths).flatMap(([path, verbs]) =>
      Object.keys(verbs).map((verb) => `${verb} ${path}`),
    );
    const served = httpRoutes(httpFixture().parts).map(({ doc }) => `${doc.method} ${doc.path}`);
    expect(listed.sort()).toEqual(served.sort());
    const http = httpFixture();
    for (const [path, verbs] of Object.entries(paths)) {
      const concrete = path.replaceAll(/\{\w+\}/g, "1");
      for (const verb of ["get", "post", "put", "delete", "patch"]) {
        const response = await http.fetch(concrete, { method: verb.toUpperCase(), headers: BEARER });
        expect(response.status === 405, `${verb} ${path}`).toBe(!(verb in verbs));
      }
    }
  });

  it("§9: every route may answer with a problem; admin routes need the token", async () => {
    const { paths, components } = await document();
    for (const [path, verbs] of Object.entries(paths)) {
      for (const { responses, security } of Object.values(verbs)) {
        expect(responses["default"]?.content).toHaveProperty("application/problem+json");
        expect(security).toEqual(path.startsWith("/admin/") ? [{ adminToken: [] }] : undefined);
      }
    }
    expect(components.securitySchemes).toEqual({ adminToken: { type: "http", scheme: "bearer" } });
    expect(Object.keys(components.schemas)).toContain("Problem");
  });

  it("§9: has no reference to nothing", async () => {
    const { components } = await document();
    const text = JSON.stringify(await document());
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(components.schemas).toHaveProperty(name as string);
    }
  });

  it("has the version of the package", async () => {
    expect(VERSION).toBe(packageJson.version);
    expect((await document()).info.version).toBe(VERSION);
  });
});
