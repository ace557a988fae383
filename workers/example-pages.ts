import modules from "./example-pages.json" with { type: "json" };

/** Made by `npm run pages`. */
const files: Readonly<Record<string, string>> = modules;

const TYPES: Readonly<Record<string, string>> = { html: "text/html", css: "text/css", js: "text/javascript" };

const HEADERS = {
  "cache-control": "no-cache",
  "content-security-policy":
    "default-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** Answers a request for one of the examples' pages; undefined for any other. */
export function examplePage({ method, url }: Request): Response | undefined {
  if (method !== "GET" && method !== "HEAD") return undefined;
  const { pathname } = new URL(url);
  if (pathname === "/examples") return new Response(null, { status: 308, headers: { location: "/examples/" } });
  const asked = /^\/examples\/([\w.-]*)$/.exec(pathname)?.[1];
  if (asked === undefined) return undefined;
  const name = asked === "" ? "index.html" : asked.includes(".") ? asked : `${asked}.html`;
  if (!Object.hasOwn(files, name)) return undefined;
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
  return new Response(method === "HEAD" ? null : files[name], {
    headers: { ...HEADERS, "content-type": `${type}; charset=utf-8` },
  });
}
