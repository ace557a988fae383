import * as z from "zod";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { checkType } from "../../identity/object-id.ts";
import type { Caller } from "../../object/call.ts";
import { checkCallId } from "../../reliable/call-id.ts";
import type { CallRecord } from "../../reliable/call-record.ts";
import { isOf } from "../../reliable/fingerprint.ts";
import { askOwner } from "../ask-partitions.ts";
import { callIdText, callSchema, callView } from "../call-view.ts";
import { NOTHING, readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { chargedCaller } from "../rate-limits.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { objectParams } from "../schemas.ts";
import { IDENTITY } from "./message.ts";

/** Whether a client may hear of a call: it may make such a call, and it is not another client's. */
function isFor({ registry }: HttpParts, caller: Caller, { type, id, method, requestHash }: CallRecord): boolean {
  try {
    registry.methodFor(caller, registry.type(type), id, method);
    return isOf(requestHash, caller.identity?.id);
  } catch {
    return false;
  }
}

/**
 * `GET /api/v1/objects/calls/{type}/{id}/{callId}`: where a reliable call stands. The owner knows best; what it does not
 * know (any more, or yet) may be in the log. For whoever may not call the method, or for another than its client, it is not there.
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
      problems: [...IDENTITY, "CALL_NOT_FOUND", "INVALID_ARGUMENT", "INVALID_ID", "LOG_UNAVAILABLE", "OVERLOADED"],
    },
    handle: async (context) => {
      const [type, id, callId] = [context.param("type"), context.param("id"), context.param("callId")];
      const caller = await chargedCaller(parts, context);
      checkType(type);
      checkCallId(callId);
      const record =
        (await askOwner(parts, { type, id }, (client) => client.callRecord(type, id, callId))) ??
        (parts.log === undefined ? null : await parts.log.find(type, id, callId));
      if (record !== null && isFor(parts, caller, record)) return respond(callView(record), context.requestId);
      throw unknown();
    },
  };
}

/** `DELETE` of the same path: a call that waits for its time is not made ([TIME8]). */
export function cancelCallRoute(parts: HttpParts): Route {
  return {
    doc: {
      id: "cancelCall",
      tag: "objects",
      method: "delete",
      path: "/api/v1/objects/calls/{type}/{id}/{callId}",
      summary: "Cancel a reliable call that waits for its time",
      params: objectParams.extend({ callId: callIdText }),
      body: NOTHING,
      answers: { 200: { description: "It will not be made", schema: z.object({ success: z.literal(true) }) } },
      problems: [...IDENTITY, "CALL_NOT_FOUND", "CONFLICT", "INVALID_ARGUMENT", "INVALID_ID", "OVERLOADED"],
    },
    handle: async (context) => {
      const [type, id, callId] = [context.param("type"), context.param("id"), context.param("callId")];
      const caller = await chargedCaller(parts, context);
      await readChange(context, NOTHING);
      checkType(type);
      checkCallId(callId);
      const known = await askOwner(parts, { type, id }, (client) => client.callRecord(type, id, callId));
      if (known === null || !isFor(parts, caller, known)) throw unknown();
      // That call, and not another of its id that came meanwhile.
      const answer = await askOwner(parts, { type, id }, (client) =>
        client.cancelCall(type, id, callId, known.requestHash),
      );
      if (answer === null) throw unknown();
      if ("refused" in answer) throw new EdgeverseError("CONFLICT", `Cannot cancel the call: ${answer.refused}`);
      return respond('{"success":true}', context.requestId);
    },
  };
}

function unknown(): EdgeverseError {
  return new EdgeverseError("CALL_NOT_FOUND", "The object knows no reliable call with this id");
}
