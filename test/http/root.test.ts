import { describe, expect, it } from "vitest";
import { httpFixture } from "./http-fixture.ts";

const LINKS = ["/api/v1/openapi.json", "/healthz", "/ready", "/admin/v1/cluster"];

describe("GET /", () => {
  it.each([undefined, "*/*", "application/json"])(
    "[HTTP13] says what this is, to Accept: %s as JSON",
    async (accept) => {
      const response = await httpFixture().fetch("/", { headers: accept === undefined ? {} : { accept } });
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(await response.json()).toMatchObject({
        name: "Edgeverse",
        types: { Counter: ["add", "get", "slow"], Patient: ["wait"] },
      });
    },
  );

  it("[HTTP13] shows a browser a page", async () => {
    const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    const response = await httpFixture().fetch("/", { headers: { accept } });
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("vary")).toBe("accept");
    const page = await response.text();
    expect(page).toContain("/api/v1/objects/call/Counter/<i>id</i>/add");
    expect([...page.matchAll(/href="([^"]*)"/g)].map((match) => match[1])).toEqual(LINKS);
  });

  it("[HOST1] [HTTP13] links below the base path", async () => {
    const http = httpFixture({ basePath: "/edge" });
    for (const path of ["/edge", "/edge/"]) {
      const { links } = (await (await http.fetch(path)).json()) as { links: Record<string, string> };
      expect(Object.values(links)).toEqual(LINKS.map((link) => `/edge${link}`));
    }
  });

  it("[HTTP13] links only to what is there", async () => {
    const http = httpFixture();
    const { links } = (await (await http.fetch("/")).json()) as { links: Record<string, string> };
    expect(Object.values(links)).toEqual(LINKS);
    for (const path of LINKS) {
      const headers = path.startsWith("/admin") ? { authorization: "Bearer s3cret-token" } : {};
      expect((await http.fetch(path, { headers })).status, path).toBe(200);
    }
    const closed = await httpFixture({ adminToken: undefined }).fetch("/");
    expect(((await closed.json()) as { links: object }).links).not.toHaveProperty("admin");
  });
});
