import { describe, expect, it } from "vitest";
import { checkBasePath, isOurs } from "../../src/http/base-path.ts";
import { httpRoutes } from "../../src/http/routes.ts";
import { codeOf, httpFixture } from "./http-fixture.ts";

describe("a base path", () => {
  it.each(["", "/edge", "/apps/edge", "/v1.0", "/~me/x_y-z", "/..."])("[HOST1] may be %j", (basePath) => {
    expect(checkBasePath(basePath)).toBe(basePath);
  });

  it.each([
    "/",
    "edge",
    "/edge/",
    "//edge",
    "/a//b",
    "/a/../b",
    "/.",
    "/..",
    "/a b",
    "/%65dge",
    "/ü",
    "/a?b",
    "https://a.test/b",
  ])("[HOST1] can't be %j", (basePath) => {
    expect(() => checkBasePath(basePath)).toThrow("Cannot use the base path");
  });
});

describe("a path of a shared Worker", () => {
  it("[HOST1] is Edgeverse's if one of its routes has it", () => {
    for (const { doc } of httpRoutes(httpFixture().parts)) {
      const path = doc.path.replaceAll(/\{\w+\}/g, "1");
      if (path !== "/") expect(isOurs("", path), path).toBe(true);
      expect(isOurs("/edge", `/edge${path}`), path).toBe(true);
      expect(isOurs("/edge", path), path).toBe(false);
    }
  });

  it.each([
    ["", "/api/v1/objects/nothing", true],
    ["", "/api/v1/objects/", true],
    ["", "/api/v1/objects/call/Counter/%zz/get", true],
    ["", "/admin/v1/nothing", true],
    ["", "/", false],
    ["", "/api", false],
    ["", "/api/v1/objects", false],
    ["", "/api/v1/objectsx/call", false],
    ["", "/api/v1/users", false],
    ["", "/api/v2/objects/call/Counter/a/get", false],
    ["", "/admin", false],
    ["", "/admin/users", false],
    ["", "/%61dmin/v1/cluster", false],
    ["", "//admin/v1/cluster", false],
    ["", "/healthz/", false],
    ["", "/healthzz", false],
    ["", "/edge/healthz", false],
    ["/edge", "/edge", true],
    ["/edge", "/edge/", true],
    ["/edge", "/edge/nothing", true],
    ["/edge", "/edge//", true],
    ["/edge", "/", false],
    ["/edge", "/edgeverse", false],
    ["/edge", "/%65dge/healthz", false],
    ["/edge", "/edge%2Fhealthz", false],
    ["/edge", "/Edge/healthz", false],
    ["/edge", "/x/edge/healthz", false],
  ])("[HOST1] with base path %j, is %j Edgeverse's: %j", (basePath, path, ours) => {
    expect(isOurs(basePath, path)).toBe(ours);
  });
});

describe("below a base path", () => {
  const http = httpFixture({ basePath: "/apps/edge" });

  it("[HOST1] everything is answered as it would be at the root", async () => {
    expect((await http.fetch("/apps/edge/healthz")).status).toBe(200);
    expect((await http.post("/apps/edge/api/v1/objects/call/Counter/x/add", { request: { by: 1 } })).status).toBe(200);
    expect(await codeOf(await http.fetch("/apps/edge/nothing"))).toBe("NOT_FOUND");
    expect(await codeOf(await http.fetch("/apps/edge/admin/v1/cluster"))).toBe("UNAUTHENTICATED");
    expect(await codeOf(await http.post("/apps/edge/healthz"))).toBe("METHOD_NOT_ALLOWED");
    expect(await codeOf(await http.fetch("/apps/edge/%zz"))).toBe("INVALID_PATH");
    expect(await codeOf(await http.fetch("/apps/edge//healthz"))).toBe("INVALID_PATH");
  });

  it("[HOST1] nothing else is served", async () => {
    for (const path of ["/healthz", "/api/v1/openapi.json", "/apps/edgehealthz", "/apps/edg%65/healthz"]) {
      expect(await codeOf(await http.fetch(path))).toBe("NOT_FOUND");
    }
  });

  it("[HTTP8] the place of an accepted call is below it", async () => {
    const headers = { "idempotency-key": "k/1", prefer: "respond-async" };
    for (const partition of http.partitions.values()) partition.reply = () => ({ kind: "accepted", callId: "k/1" });
    const accepted = await http.post(
      "/apps/edge/api/v1/objects/call/Counter/a%20b/add",
      { request: { by: 1 } },
      headers,
    );
    expect([accepted.status, accepted.headers.get("location")]).toEqual([
      202,
      "/apps/edge/api/v1/objects/calls/Counter/a%20b/k%2F1",
    ]);
  });

  it("[HTTP10] the OpenAPI document's server is the base path", async () => {
    const serversOf = async (answer: Response) => ((await answer.json()) as { servers: { url: string }[] }).servers;
    expect(await serversOf(await http.fetch("/apps/edge/api/v1/openapi.json"))).toMatchObject([{ url: "/apps/edge" }]);
    expect(await serversOf(await httpFixture().fetch("/api/v1/openapi.json"))).toMatchObject([{ url: "/" }]);
  });
});
