import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { checkType } from "../../identity/object-id.ts";
import { checkCallId } from "../../reliable/call-id.ts";
import { askOwner } from "../ask-partitions.ts";
import { callIdText, callSchema, callView } from "../call-view.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { objectParams } from "../schemas.ts";

/**
 * `GET /api/v1/objects/calls/{type}/{id}/{callId}`: where a reliable call stands. The owner knows best; what it does not
 * know (any more, or yet) may be in the log.
 */
export function callStatusRoute(parts: HttpParts): Route {
  return {
    doc: {
      id: "callStatus",
      tag: "objects",
      method: "get",
      path: "/api/v1/objects/calls/{type}/{id}/{callId}",
      summary: "Where a reliable call stands",
      params: objectParams.extend({ callId: callIdText }),
      answers: { 200: { description: "The call, with its outcome if it has one", schema: callSchema } },
      problems: ["CALL_NOT_FOUND", "INVALID_ARGUMENT", "INVALID_ID", "LOG_UNAVAILABLE", "OVERLOADED", "UNAVAILABLE"],
    },
    handle: async (context) => {
      const [type, id, callId] = [context.param("type"), context.param("id"), context.param("callId")];
      checkType(type);
      checkCallId(callId);
      const record =
        (await askOwner(parts, { type, id }, (client) => client.callRecord(type, id, callId))) ??
        (parts.log === undefined ? null : await parts.log.find(type, id, callId));
      if (record !== null) return respond(callView(record), context.requestId);
      throw new EdgeverseError("CALL_NOT_FOUND", "The object knows no reliable call with this id");
    },
  };
}
