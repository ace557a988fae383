import type { Check, CheckContext } from "../check.ts";
import { bodyOf, equal, isProblem, isTrue } from "../expect.ts";
import { NotApplicable } from "../failure.ts";
import { EdgeverseProbe } from "../probe.ts";

const { type } = EdgeverseProbe;
const BATCH = "/api/v1/objects/batch";

export const httpChecks: readonly Check[] = [
  {
    rule: "HTTP1",
    title: "a body that is not JSON is INVALID_JSON; one that does not fit is INVALID_ARGUMENT",
    async run({ send }) {
      const post = (body: string) => send({ method: "POST", path: BATCH, body });
      for (const body of ["{", "{'calls':[]}", '{"calls":[]} x'])
        isProblem(await post(body), 400, "INVALID_JSON", body);
      const deep = `{"calls":${"[".repeat(200)}${"]".repeat(200)}}`;
      for (const body of ["[]", "null", '"text"', '{"calls":[],"more":1}', deep]) {
        isProblem(await post(body), 400, "INVALID_ARGUMENT", body.slice(0, 40));
      }
    },
  },
  {
    rule: "HTTP1",
    title: "the body counts, not its Content-Type, and no number is silently another",
    needs: ["probes"],
    async run({ send, probe }) {
      const object = probe();
      const path = `/api/v1/objects/call/${object.path}/add`;
      for (const contentType of ["application/json", "text/plain", "application/x-www-form-urlencoded"]) {
        const headers = { "content-type": contentType };
        equal((await send({ method: "POST", path, headers, body: '{"request":{"by":1}}' })).status, 200, contentType);
      }
      isProblem(
        await send({ method: "POST", path, body: '{"request":{"by":1e999}}' }),
        400,
        "INVALID_ARGUMENT",
        "1e999",
      );
      equal(await object.count(), 3, "the count after them");
    },
  },
  {
    rule: "HTTP2",
    title: "errors are application/problem+json with their code, and an unexpected one shows no text",
    needs: ["probes"],
    async run({ probe }) {
      const answer = await probe().send("throwError");
      const problem = bodyOf<Record<string, unknown>>(answer, "the problem", 500);
      equal(answer.headers.get("content-type"), "application/problem+json", "Content-Type");
      equal(problem["type"], "urn:edgeverse:error:INTERNAL", "type");
      equal(problem["requestId"], answer.headers.get("x-request-id"), "requestId");
      isTrue(!answer.text.includes("asked the probe"), "the client sees the text of an unexpected error");
    },
  },
  {
    rule: "HTTP3",
    title: "every answer has an X-Request-Id: the client's own if it is one",
    async run({ send, name }) {
      const own = name();
      const given = async (id: string) =>
        (await send({ path: "/healthz", headers: { "x-request-id": id } })).headers.get("x-request-id");
      equal(await given(own), own, "the client's own");
      for (const bad of ["no spaces", "x".repeat(65)]) {
        const other = await given(bad);
        isTrue(other !== null && other !== "" && other !== bad, `"${bad}" became ${other}`);
      }
    },
  },
  {
    rule: "HTTP4",
    title: "what is not there is 404, another method 405 with Allow, a malformed path 400",
    async run({ send }) {
      isProblem(await send({ path: "/api/v1/objects/nothing" }), 404, "NOT_FOUND", "a path that nothing serves");
      isProblem(await send({ method: "POST", path: "/api/v1/objects/%62atch" }), 404, "NOT_FOUND", "an encoded route");
      const other = await send({ method: "PUT", path: BATCH, body: "{}" });
      isProblem(other, 405, "METHOD_NOT_ALLOWED", "PUT");
      equal(other.headers.get("allow"), "POST", "Allow");
      for (const path of ["call/EdgeverseProbe//get", "call/EdgeverseProbe/%ff/get"]) {
        isProblem(await send({ method: "POST", path: `/api/v1/objects/${path}` }), 400, "INVALID_PATH", path);
      }
    },
  },
  {
    rule: "HTTP4",
    title: "HEAD is GET without the body",
    async run({ send }) {
      const { status, text } = await send({ method: "HEAD", path: "/healthz" });
      equal([status, text], [200, ""], "status and body");
    },
  },
  {
    rule: "HTTP5",
    title: "a type that is not served is TYPE_NOT_FOUND, for call, create and delete",
    async run({ send }) {
      for (const route of ["call/NoSuchType/a/get", "create/NoSuchType/a", "delete/NoSuchType/a"]) {
        isProblem(await send({ method: "POST", path: `/api/v1/objects/${route}` }), 404, "TYPE_NOT_FOUND", route);
      }
    },
  },
  {
    rule: "HTTP6",
    title: "a header that would have no effect is refused",
    needs: ["probes"],
    async run({ send, probe }) {
      const object = probe();
      const add = `call/${object.path}/add`;
      const refused = async (route: string, headers: Record<string, string>) => {
        const answer = await send({ method: "POST", path: `/api/v1/objects/${route}`, headers });
        isProblem(answer, 400, "INVALID_ARGUMENT", `${route} with ${Object.keys(headers)}`);
      };
      await refused(add, { "edgeverse-expires-in": "1000" });
      await refused(add, { "edgeverse-log": "write-behind" });
      for (const route of ["batch", `create/${object.path}`, `delete/${object.path}`]) {
        await refused(route, { "idempotency-key": "key" });
      }
      equal(await object.count(), 0, "the count after them");
    },
  },
  {
    rule: "HTTP9",
    title: "/healthz says ok, and /ready that everything can be reached",
    async run({ send }) {
      equal(bodyOf(await send({ path: "/healthz" }), "/healthz"), { status: "ok" }, "/healthz");
      const { status, failing } = bodyOf<{ status: string; failing: unknown }>(
        await send({ path: "/ready" }),
        "/ready",
      );
      equal([status, failing], ["ready", []], "/ready");
    },
  },
  {
    rule: "HTTP10",
    title: "the OpenAPI document has every route, each served method, and the base path",
    needs: ["probes"],
    async run(context) {
      const document = await openApi(context);
      equal(document.openapi, "3.1.0", "its version");
      equal(document.servers[0]?.url, context.basePath === "" ? "/" : context.basePath, "its server");
      const paths = Object.keys(EdgeverseProbe.methods).map((name) => `/api/v1/objects/call/${type}/{id}/${name}`);
      for (const path of [...paths, BATCH, "/ready", "/admin/v1/cluster"]) {
        isTrue(document.paths[path] !== undefined, `it has no path ${path}`);
      }
    },
  },
  {
    rule: "HTTP13",
    title: "/ says what the host is and which types it serves, with a page for browsers",
    async run({ send }) {
      const root = await send({ path: "/" });
      const { name, types } = (root.json ?? {}) as { name?: string; types?: Record<string, string[]> };
      if (name !== "Edgeverse") throw new NotApplicable("/ belongs to another part of the Worker");
      isTrue(types !== undefined && Object.keys(types).length > 0, "it names no types");
      const page = await send({ path: "/", headers: { accept: "text/html" } });
      equal(page.headers.get("content-type"), "text/html; charset=utf-8", "Content-Type for a browser");
    },
  },
];

async function openApi({ send }: CheckContext) {
  const answer = await send({ path: "/api/v1/openapi.json" });
  return bodyOf<{ openapi: string; servers: { url: string }[]; paths: Record<string, object> }>(answer, "the document");
}
