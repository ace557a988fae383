import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Caller } from "./call.ts";
import { type CallMessage, type LeftCall, type LifecycleMessage, objectKey } from "./message.ts";

/** What tells whose call it is. */
export interface Asked {
  readonly caller: Caller;
  readonly requestId: string;
  readonly ticket?: string | undefined;
  readonly callId?: string | undefined;
}

/** The call of a message, for the partition to find. */
export function leftCall({ type, id, ticket, requestId }: CallMessage | LifecycleMessage): LeftCall {
  return { type, id, ticket: ticket ?? requestId };
}

/** Calls that nobody waits for any more, by their objects. */
export class LeftCalls {
  readonly #tickets = new Map<string, Set<string>>();

  constructor(calls: Iterable<LeftCall>) {
    for (const { type, id, ticket } of calls) {
      const key = objectKey(type, id);
      const known = this.#tickets.get(key);
      if (known === undefined) this.#tickets.set(key, new Set([ticket]));
      else known.add(ticket);
    }
  }

  /** The keys of their objects. */
  get keys(): Iterable<string> {
    return this.#tickets.keys();
  }

  /**
   * Whether it is one of them, and may be dropped. A reliable call may not: it is accepted. Nor may what an object has asked for:
   * it has the id of its request, and the object waits for it.
   */
  has(key: string, { caller, requestId, ticket, callId }: Asked): boolean {
    if (callId !== undefined || caller.kind === "object") return false;
    return this.#tickets.get(key)?.has(ticket ?? requestId) === true;
  }

  hasMessage(message: CallMessage | LifecycleMessage): boolean {
    const callId = "reliable" in message ? message.reliable?.callId : undefined;
    return this.has(objectKey(message.type, message.id), { ...message, callId });
  }
}

/** What a dropped call comes to, should somebody hear of it. */
export const DROPPED = new EdgeverseError(
  "UNAVAILABLE",
  "The client has gone, and the call had not begun: it did not run",
);
