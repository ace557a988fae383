import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type ApiDocument, pythonClient } from "../../local/python/python-client.ts";
import { functionName, type JsonSchema } from "../../local/python/python-types.ts";
import { hasPython } from "../support/python.ts";
import { cleanUp, temporaryFolder } from "./host-process.ts";

const RUNTIME = readFileSync(resolve(import.meta.dirname, "../../local/python/runtime.py"), "utf8");
const CALL = "/api/v1/objects/call";

const servers: Server[] = [];
afterAll(async () => {
  for (const server of servers) server.close();
  await cleanUp();
});

function documentOf(request: JsonSchema, schemas: Record<string, JsonSchema> = {}): ApiDocument {
  const schema = { type: "object", properties: { request }, required: ["request"] };
  const requestBody = { required: true, content: { "application/json": { schema } } };
  return {
    paths: {
      [`${CALL}/Shop/{id}/payNow`]: { post: { requestBody } },
      [`${CALL}/Shop/{id}/look`]: { post: { "x-edgeverse-readonly": true } },
    },
    components: { schemas },
  };
}

/** What Python prints for a program that has the client of this document. */
function python(document: ApiDocument, program: string, ...parameters: string[]): Promise<string> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "client.py"), pythonClient(document, RUNTIME));
  writeFileSync(join(folder, "program.py"), program);
  return new Promise((resolve) => {
    execFile("python3", ["-W", "error", join(folder, "program.py"), ...parameters], (_, stdout, stderr) => {
      resolve((stdout + stderr).trim());
    });
  });
}

test.each([
  ["getBalance", "get_balance"],
  ["HTTPStatus", "http_status"],
  ["import", "import_"],
  ["say-it", "say_it"],
  ["2nd", "_2nd"],
])("a method %s is %s in Python", (name, expected) => {
  expect(functionName(name)).toBe(expected);
});

describe.skipIf(!hasPython)("the client for Python", () => {
  test("has types for what JSON Schema says", async () => {
    const request: JsonSchema = {
      type: "object",
      properties: {
        price: { $ref: "#/components/schemas/Money" },
        "odd name\n": { type: ["string", "null"] },
        kind: { enum: ["a", 'b"'] },
        tree: { $ref: "#/components/schemas/Tree" },
        many: { type: "array", items: { type: "object", properties: { n: { type: "number" } }, required: ["n"] } },
        either: { anyOf: [{ type: "integer" }, { type: "object", additionalProperties: { type: "boolean" } }] },
        any: {},
      },
      required: ["price"],
    };
    const schemas: Record<string, JsonSchema> = {
      Money: { type: "object", properties: { amount: { type: "integer" } }, required: ["amount"] },
      Tree: {
        type: "object",
        properties: { children: { type: "array", items: { $ref: "#/components/schemas/Tree" } } },
      },
      Unused: { type: "string" },
    };
    const program =
      "import client\nprint(client.ShopPayNow.__annotations__, hasattr(client, 'Unused'))\nprint(client.Tree.__annotations__)";
    const printed = await python(documentOf(request, schemas), program);
    const types = [...printed.matchAll(/ForwardRef\('([^)]*)', module/g)].map(([, type]) => type);
    expect(types).toEqual([
      "Money",
      "NotRequired[str | None]",
      'NotRequired[Literal["a", "b\\\\""]]',
      "NotRequired[Tree]",
      "NotRequired[list[ShopPayNowManyItem]]",
      "NotRequired[int | dict[str, bool]]",
      "NotRequired[Any]",
      "NotRequired[list[Tree]]",
    ]);
    expect(printed).toContain("False");
  });

  test("names in a document are never code", async () => {
    const evil = `x"""\nprint("run")\n"""`;
    const document: ApiDocument = {
      paths: { [`${CALL}/${evil}/{id}/${evil}`]: { post: { summary: `\\"""\nprint("run")` } } },
    };
    expect(await python(document, "import client\nprint('loaded')")).toBe("loaded");
  });

  test("repeats what is safe, and nothing else", async () => {
    const asked: string[] = [];
    const url = await serve((request, response) => {
      const { pathname } = new URL(String(request.url), "http://host");
      const [, , , , , , id] = pathname.split("/");
      asked.push(`${id} ${request.headers["authorization"] ?? ""}`.trim());
      const times = asked.filter((one) => one.startsWith(String(id))).length;
      const problem = (status: number, code: string, retryable: boolean) => {
        response.writeHead(status, { "content-type": "application/problem+json", "x-request-id": "r1" });
        response.end(JSON.stringify({ code, detail: "no", retryable }));
      };
      if (id === "busy" && times < 3) problem(503, "OVERLOADED", true);
      else if (id === "unknown") problem(503, "UNAVAILABLE", false);
      else if (id === "cut" && times < 2) request.socket.destroy();
      else if (id === "moved") response.writeHead(302, { location: "/elsewhere" }).end();
      else if (id === "secret" && request.headers["authorization"] !== "Bearer new")
        problem(401, "UNAUTHENTICATED", false);
      else response.end(JSON.stringify({ response: times }));
    });
    const program = `
import sys
from client import Edgeverse, EdgeverseError

tokens = iter(["old", "new"])
host = Edgeverse(sys.argv[1], timeout=10)
known = Edgeverse(sys.argv[1], token=lambda: next(tokens))

def show(of, id, **options):
    try:
        print(id, of.shop(id).pay_now({}, **options))
    except EdgeverseError as error:
        print(id, error.code, error.status, error.retryable, error.request_id)

show(host, "busy")
show(host, "unknown")
show(host, "cut")
show(host, "cut", reliable=True)
show(host, "moved")
show(known, "secret")
print(host.shop("busy").look())
show(Edgeverse("http://127.0.0.1:9", timeout=0.2), "nobody")
`;
    const printed = await python(documentOf({ type: "object" }), program, url);
    expect(printed.split("\n")).toEqual([
      "busy 3",
      "unknown UNAVAILABLE 503 False r1",
      "cut UNREACHABLE 0 False None",
      "cut 2",
      "moved UNREACHABLE 302 False None",
      "secret 2",
      "4",
      "nobody UNREACHABLE 0 True None",
    ]);
    expect(asked.filter((one) => one.startsWith("secret"))).toEqual(["secret Bearer old", "secret Bearer new"]);
  });
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => answer(request, response));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
