import { checkIdentity, type Identity } from "../access/identity.ts";
import type { Config } from "../config/config.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { ClientLimits } from "../limits/client-limits.ts";
import { clientName } from "../limits/client-name.ts";
import type { Caller, CallOptions } from "../object/call.ts";
import { parseJson } from "../object/json.ts";
import type { CallMessage, FinalReply } from "../object/message.ts";
import type { ObjectClass } from "../object/object-class.ts";
import { checkCallOptions, copyRequest, reliableOptions } from "../object/outgoing-call.ts";
import type { Registry } from "../object/registry.ts";
import type { CreateParameters } from "../object/request-types.ts";
import type { Stub } from "../object/stub-types.ts";
import { traceParent } from "../object/trace-parent.ts";
import type { Clock, Random } from "../platform/ports.ts";
import type { Router } from "./router.ts";

/** Options of a call that no object makes. */
export interface RemoteCallOptions extends CallOptions {
  /**
   * For whom the call is made: `this.context.identity` of the object, and of the objects that it calls. It is then the
   * client's call, as if it had come over HTTP; `null` is a client that is anonymous.
   */
  readonly identity?: Identity | null | undefined;
  /** W3C trace context, such as the header `traceparent` of a request; a malformed one is ignored. */
  readonly traceparent?: string | null | undefined;
}

export type RemoteLifecycleOptions = Pick<RemoteCallOptions, "timeout" | "identity">;

export interface RemoteObjectParts {
  readonly registry: Registry;
  readonly router: Pick<Router, "call" | "lifecycle">;
  readonly config: Pick<Config, "callTimeout" | "maxCallTimeout" | "maxMessage">;
  readonly clock: Pick<Clock, "now">;
  readonly random: Random;
  readonly caller: Caller["kind"];
  /** Limits of clients: a call with an identity is that client's. */
  readonly clients?: ClientLimits | undefined;
}

/**
 * Objects for code that is not one: typed stubs whose calls go through the router. A deadline is not later than a client
 * may ask for ([TURN5]); requests and responses are copies ([OBJ3]).
 */
export class RemoteObjects {
  readonly #parts: RemoteObjectParts;

  constructor(parts: RemoteObjectParts) {
    this.#parts = parts;
  }

  /** @throws EdgeverseError `TYPE_NOT_FOUND`, `INVALID_ID` or `INVALID_ARGUMENT`; so do its calls, with any code */
  stub<Class extends ObjectClass>(objectClass: Class, id: string, options: RemoteCallOptions = {}): Stub<Class> {
    const { registry, config, clock } = this.#parts;
    const definition = registry.type(objectClass.type);
    registry.placement(definition.type, id);
    checkCallOptions(options);
    const caller = callerFor(options.identity, this.#parts.caller);
    const traceparent = traceParent(options.traceparent);
    return definition.makeStub(async (name, request) => {
      const method = registry.method(definition, name);
      this.#charge(caller, definition.type, method.name);
      const copy = copyRequest(request, config.maxMessage);
      const reliable = reliableOptions(options, clock.now());
      const message: CallMessage = {
        type: definition.type,
        id,
        method: method.name,
        deadline: this.#deadline(options.timeout, method.timeout),
        requestId: this.#parts.random.uuid(),
        caller,
        ...(copy === undefined ? {} : { request: JSON.stringify(copy) }),
        ...(traceparent === undefined ? {} : { traceparent }),
        ...(reliable === undefined ? {} : { reliable }),
      };
      return parseJson(responseOf(await this.#parts.router.call(message)));
    }) as Stub<Class>;
  }

  /** Creates the object; false when it was there already, and the request then counts for nothing. @throws EdgeverseError */
  async create<Class extends ObjectClass>(
    objectClass: Class,
    id: string,
    ...parameters: CreateParameters<Class, RemoteLifecycleOptions>
  ): Promise<boolean> {
    // What the type comes to for every class; the compiler can't see it while the class is open.
    const [request, options] = parameters as readonly [request?: unknown, options?: RemoteLifecycleOptions];
    const response = await this.#lifecycle("create", objectClass, id, options, request);
    return (JSON.parse(response) as { readonly created: boolean }).created;
  }

  /** Deletes the object, if it is there. @throws EdgeverseError */
  async delete(objectClass: ObjectClass, id: string, options?: RemoteLifecycleOptions): Promise<void> {
    await this.#lifecycle("delete", objectClass, id, options);
  }

  async #lifecycle(
    action: "create" | "delete",
    objectClass: ObjectClass,
    id: string,
    options: RemoteLifecycleOptions = {},
    request?: unknown,
  ): Promise<string> {
    const definition = this.#parts.registry.type(objectClass.type);
    checkCallOptions(options);
    const caller = callerFor(options.identity, this.#parts.caller);
    this.#charge(caller, definition.type);
    const copy = copyRequest(request, this.#parts.config.maxMessage);
    const reply = await this.#parts.router.lifecycle({
      action,
      type: definition.type,
      id,
      ...(copy === undefined ? {} : { request: JSON.stringify(copy) }),
      deadline: this.#deadline(options.timeout, definition.timeout),
      requestId: this.#parts.random.uuid(),
      caller,
    });
    return responseOf(reply);
  }

  /** A client that nobody knows has no address here: only the object's limits count it. @throws EdgeverseError `RATE_LIMITED` */
  #charge({ kind, identity }: Caller, type: string, method?: string): void {
    const { clients } = this.#parts;
    if (clients === undefined || clients.isEmpty || kind !== "client" || identity === undefined) return;
    clients.take(clientName(identity, undefined), identity, type, method);
  }

  #deadline(asked: number | undefined, declared: number | undefined): number {
    const { config, clock } = this.#parts;
    const most = config.maxCallTimeout;
    return clock.now() + (asked === undefined ? (declared ?? config.callTimeout) : Math.min(asked, most));
  }
}

/**
 * Who calls through code outside objects: a client, anonymous with `null`, or without an identity that code itself. With a copy
 * of the identity: it crosses to another process and is kept with reliable calls.
 */
export function callerFor(identity: Identity | null | undefined, self: Caller["kind"]): Caller {
  if (identity === undefined) return { kind: self };
  return identity === null ? { kind: "client" } : { kind: "client", identity: checkIdentity(identity) };
}

function responseOf(reply: FinalReply): string {
  if (reply.kind === "response") return reply.response;
  if (reply.kind === "error") throw EdgeverseError.from(reply.error);
  throw new EdgeverseError("INTERNAL", "The call was accepted, but its outcome was asked for");
}
