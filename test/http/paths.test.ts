import { describe, expect, it } from "vitest";
import { httpRoutes } from "../../src/http/routes.ts";
import { codeOf, httpFixture } from "./http-fixture.ts";

describe("paths", () => {
  it.each([
    "/api/v1/objects/call/Counter/%/get",
    "/api/v1/objects/call/Counter/%zz/get",
    "/api/v1/objects/call/Counter/%ff/get",
    "/%e0%80",
    "/api/v1/objects/call/Counter//get",
    "/api/v1/objects/call//x/get",
    "/api/v1/objects/call/Counter/x/",
    "//api/v1/objects/batch",
    "/healthz/",
  ])("[HTTP4] %s is INVALID_PATH", async (path) => {
    expect(await codeOf(await httpFixture().post(path))).toBe("INVALID_PATH");
  });

  it.each([
    "/nothing",
    "/api/v1/objects",
    "/api/v1/objects/call/Counter/x",
    "/api/v1/objects/call/Counter/x/get/more",
    "/API/v1/objects/batch",
    "/api/v1/objects/%62atch",
    "/metrics",
  ])("[HTTP4] %s is NOT_FOUND", async (path) => {
    const http = httpFixture();
    expect(await codeOf(await http.fetch(path))).toBe("NOT_FOUND");
    expect(await codeOf(await http.post(path))).toBe("NOT_FOUND");
  });

  it.each([
    ["GET", "/api/v1/objects/call/Counter/x/get", "POST"],
    ["PUT", "/api/v1/objects/batch", "POST"],
    ["DELETE", "/api/v1/objects/delete/Counter/x", "POST"],
    ["POST", "/api/v1/objects/calls/Counter/x/k", "GET, HEAD, DELETE"],
    ["POST", "/healthz", "GET, HEAD"],
    ["OPTIONS", "/ready", "GET, HEAD"],
    ["PROPFIND", "/api/v1/openapi.json", "GET, HEAD"],
    ["HEAD", "/api/v1/objects/batch", "POST"],
  ])("[HTTP4] %s %s is METHOD_NOT_ALLOWED", async (verb, path, allow) => {
    const response = await httpFixture().fetch(path, { method: verb });
    expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
    if (verb !== "HEAD") expect(await codeOf(response)).toBe("METHOD_NOT_ALLOWED");
  });

  it("[HTTP4] HEAD is GET without the body", async () => {
    const response = await httpFixture().fetch("/healthz", { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(response.headers.get("x-request-id")).toBe("uuid-1");
  });

  it("[HTTP4] a query does not get in the way", async () => {
    expect((await httpFixture().fetch("/healthz?a=/b%zz")).status).toBe(200);
  });

  it("[HTTP4] fit one route at most, whatever order they stand in", () => {
    const routes = httpRoutes(httpFixture().parts).map(({ doc }) => [doc.method, ...doc.path.split("/")]);
    const both = (left: readonly string[], right: readonly string[]) =>
      left.length === right.length &&
      left.every((part, index) => part === right[index] || part.startsWith("{") || right[index]?.startsWith("{"));
    for (const [index, route] of routes.entries())
      expect(routes.slice(index + 1).filter((other) => both(route, other))).toEqual([]);
  });

  it("[HTTP2] a fault of ours is reported, answered as INTERNAL, and not shown", async () => {
    const http = httpFixture({
      router: {
        call: () => Promise.reject(new Error("hunter2")),
      } as never,
    });
    const response = await http.post("/api/v1/objects/call/Counter/x/get");
    const text = await response.clone().text();
    expect(await codeOf(response)).toBe("INTERNAL");
    expect(text).not.toContain("hunter2");
    expect(http.errors).toHaveLength(1);
  });
});
