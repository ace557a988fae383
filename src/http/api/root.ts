import * as z from "zod";
import { VERSION } from "../admin/cluster.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";

const rootSchema = z.object({
  name: z.literal("Edgeverse"),
  version: z.string(),
  description: z.string(),
  docs: z.string(),
  links: z.record(z.string(), z.string()),
  types: z.record(z.string(), z.array(z.string())),
});
type Root = z.input<typeof rootSchema>;

/** `GET /`: what this host is, and where to go on; a page for browsers. */
export function rootRoute(parts: HttpParts): Route {
  return {
    doc: {
      id: "root",
      tag: "host",
      method: "get",
      path: "/",
      summary: "See what this host is",
      answers: { 200: { description: "What it is and where to go on", schema: rootSchema, html: true } },
    },
    handle: ({ request, requestId }) => {
      const root = describe(parts);
      // A browser asks for HTML by name; `curl` and `fetch` take anything.
      const html = /\btext\/html\b/i.test(request.headers.get("accept") ?? "");
      if (!html) return respond(JSON.stringify(root), requestId, 200, { vary: "accept" });
      return respond(page(root, parts.basePath), requestId, 200, { vary: "accept", ...PAGE_HEADERS });
    },
  };
}

const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
};

function describe({ registry, adminToken, basePath }: HttpParts): Root {
  return {
    name: "Edgeverse",
    version: VERSION,
    description: `Virtual objects over HTTP: POST ${basePath}/api/v1/objects/call/{type}/{id}/{method} calls one`,
    docs: "docs/guide.md of the package edgeverse",
    links: {
      openapi: `${basePath}/api/v1/openapi.json`,
      health: `${basePath}/healthz`,
      ready: `${basePath}/ready`,
      ...(adminToken === undefined ? {} : { admin: `${basePath}/admin/v1/cluster` }),
    },
    types: Object.fromEntries(registry.types.map(({ type, methods }) => [type, [...methods.keys()]])),
  };
}

/** Names of types and methods have no characters that HTML would take for its own. */
function page({ name, version, docs, links, types }: Root, basePath: string): string {
  const link = ([title, path]: [string, string]) => `<li><a href="${path}">${path}</a> ${title}</li>`;
  const calls = Object.entries(types).flatMap(([type, methods]) =>
    methods.map((method) => `<li><code>POST ${basePath}/api/v1/objects/call/${type}/<i>id</i>/${method}</code></li>`),
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${name}</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 3em auto; padding: 0 1em }</style>
<h1>${name} ${version}</h1>
<p>This host serves virtual objects over HTTP. The guide is ${docs}.</p>
<h2>Calls</h2>
<ul>${calls.join("")}</ul>
<p>The body is <code>{"request": …}</code>, or nothing. The OpenAPI document has the schema of each.</p>
<h2>More</h2>
<ul>${Object.entries(links).map(link).join("")}</ul>
</html>
`;
}
