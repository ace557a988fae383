import type { TypeDefinition } from "../../object/registry.ts";
import { VERSION } from "../admin/cluster.ts";
import type { RouteDoc, Tag } from "../route.ts";
import { type Json, Schemas } from "./json-schema.ts";
import { ADMIN_TOKEN, CREDENTIALS, HEADERS, type Operation, operation } from "./operation.ts";
import { methodPaths, typeTag } from "./served-methods.ts";

const TAGS: Readonly<Record<Tag, string>> = {
  objects: "Calls of objects of any type, their creation and deletion",
  host: "What this host is, and whether it can serve",
  cluster: "The cluster as a whole, its objects, and what operators did",
  partitions: "The members of the cluster",
  gates: "Where clients are connected",
  shards: "Where shards are, their moves, and how many there are",
  events: "Connections of clients, and what objects send to them",
  "call log": "The log of reliable calls",
  settings: "What operators change while the host runs",
  sinks: "Events that their sinks did not take",
  keys: "API keys of clients, which operators make",
};

const DESCRIPTION = `Virtual objects over HTTP. JSON both ways, whatever the request's \`Content-Type\`.

Errors are \`application/problem+json\`: act on \`code\`, and repeat what is \`retryable\`. Every answer has an
\`X-Request-Id\`, the client's own if it sent a fitting one.`;

/** The route that every method is called by. */
const CALL = "call";

/** The OpenAPI 3.1 document of these routes, and of the methods of these types as paths of their own; all below `basePath`. */
export function openApiDocument(docs: readonly RouteDoc[], types: readonly TypeDefinition[], basePath: string): Json {
  const schemas = new Schemas();
  const paths: Record<string, Json> = {};
  // What a call answers is said once: each method of each type refers to it.
  const responses: Json = {};
  for (const doc of docs) {
    const made = operation(doc, schemas);
    const shown = doc.id === CALL ? withShared(made, responses) : made;
    paths[doc.path] = { ...paths[doc.path], [doc.method]: shown };
    if (doc.id === CALL) Object.assign(paths, methodPaths(shown, types, schemas));
  }
  const tags = Object.entries(TAGS).map(([name, description]) => ({ name, description }));
  return {
    openapi: "3.1.0",
    info: {
      title: "Edgeverse",
      version: VERSION,
      description: DESCRIPTION,
      license: { name: "Apache License 2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: basePath === "" ? "/" : basePath, description: "The host that served this document" }],
    tags: [...tags, ...types.map(({ type }) => ({ name: typeTag(type), description: `The methods of ${type}` }))],
    paths,
    components: {
      schemas: schemas.components,
      responses,
      headers: HEADERS,
      securitySchemes: {
        [ADMIN_TOKEN]: {
          type: "http",
          scheme: "bearer",
          description:
            "The host's `EDGEVERSE_ADMIN_TOKEN`, or for less `EDGEVERSE_OPERATOR_TOKEN` or `EDGEVERSE_VIEWER_TOKEN`",
        },
        [CREDENTIALS]: { type: "http", scheme: "bearer", description: "What the host's `authenticate` takes" },
      },
    },
  };
}

/** The operation with its responses put among those of the document. */
function withShared(made: Operation, responses: Json): Operation {
  const references: Json = {};
  for (const [status, response] of Object.entries(made.responses)) {
    const name = `${made.operationId}.${status}`;
    responses[name] = response;
    references[status] = { $ref: `#/components/responses/${name}` };
  }
  return { ...made, responses: references };
}
