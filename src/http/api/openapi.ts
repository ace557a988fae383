import * as z from "zod";
import { openApiDocument } from "../openapi/document.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";

/** `GET /api/v1/openapi.json`: the document of `routes`, of itself and of the types that are served; made when first asked for. */
export function openApiRoute(
  { registry, basePath }: Pick<HttpParts, "registry" | "basePath">,
  routes: readonly Route[],
): Route {
  let text: string | undefined;
  const self: Route = {
    doc: {
      id: "openapi",
      tag: "host",
      method: "get",
      path: "/api/v1/openapi.json",
      summary: "Get this document",
      answers: { 200: { description: "An OpenAPI 3.1 document", schema: z.looseObject({ openapi: z.string() }) } },
    },
    handle: (context) => {
      text ??= JSON.stringify(
        openApiDocument(
          [...routes, self].map(({ doc }) => doc),
          registry.types,
          basePath,
        ),
      );
      return respond(text, context.requestId);
    },
  };
  return self;
}
