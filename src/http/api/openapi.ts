import * as z from "zod";
import { openApiDocument } from "../openapi-document.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";

/** `GET /api/v1/openapi.json`: the document of `routes` and of itself; made when first asked for. */
export function openApiRoute(routes: readonly Route[]): Route {
  let text: string | undefined;
  const self: Route = {
    doc: {
      method: "get",
      path: "/api/v1/openapi.json",
      summary: "This document",
      answers: { 200: z.looseObject({ openapi: z.string() }) },
    },
    handle: (context) => {
      text ??= JSON.stringify(openApiDocument([...routes, self].map(({ doc }) => doc)));
      return respond(text, context.env.requestId);
    },
  };
  return self;
}
