import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { checkOutboxOptions, type OutboxOptions } from "../../object/outbox.ts";
import { copyRequest } from "../../object/outgoing-call.ts";
import type { MethodDefinition, Registry, TypeDefinition } from "../../object/registry.ts";
import { parseRequest } from "../../object/request.ts";
import type { Random } from "../../platform/ports.ts";
import { newCallId } from "../../reliable/call-id.ts";
import { type Message, messageBytes } from "../storage/message-rows.ts";
import type { MemoryBudget } from "../turns/memory-budget.ts";
import type { Turn } from "../turns/turn.ts";
import { TurnEffects } from "../turns/turn-effect.ts";
import { TurnRows } from "../turns/turn-rows.ts";
import type { Outbox } from "./outbox.ts";
import type { OutboxTable } from "./outbox-table.ts";

/** What a turn needs to send. */
export interface TurnMessageParts {
  readonly random: Random;
  readonly table: OutboxTable;
  readonly memory: MemoryBudget;
  readonly outbox: Outbox;
}

interface Parts extends TurnMessageParts {
  readonly registry: Registry;
  readonly config: { readonly maxMessage: number };
}

/** Makes the stubs that `this.outbox(Type, id, options)` gives: their methods give the id of the call that is sent. */
export function outboxStubs(parts: Parts) {
  return (turn: Turn, type: string, id: string, options: OutboxOptions): object => {
    const definition = parts.registry.type(type);
    parts.registry.placement(type, id);
    checkOutboxOptions(options);
    if (options.onOutcome !== undefined)
      checkOutcomeMethod(parts.registry, turn.activation.definition, String(options.onOutcome));
    return definition.makeStub((name, request) => {
      turn.checkMutable("send from");
      const method = parts.registry.methodFor(turn.asCaller, definition, id, name);
      return send(parts, turn, { type, id, method }, request, options);
    });
  };
}

function checkOutcomeMethod(registry: Registry, sender: TypeDefinition, name: string): void {
  const method = registry.method(sender, name);
  if (!method.readonly) return;
  throw new EdgeverseError(
    "INVALID_ARGUMENT",
    `Cannot tell ${sender.type}.${name} an outcome: it is declared readonly`,
  );
}

function send(
  parts: Parts,
  turn: Turn,
  to: { readonly type: string; readonly id: string; readonly method: MethodDefinition },
  request: unknown,
  { onOutcome, delay = 0, expiresIn, log }: OutboxOptions,
): string {
  const { random, table, config } = parts;
  const copy = copyRequest(request, config.maxMessage);
  // What the receiver would refuse is an error here, where somebody can mend it.
  const parsed = parseRequest(to.method, copy);
  const text = copy === undefined ? null : JSON.stringify(copy);
  const { activation, context, startedAt: now } = turn;
  const leaves = now + Math.ceil(delay);
  const callId = newCallId(leaves, random.uuid());
  const due = delay > 0 ? leaves : 0;
  const message: Message = {
    place: [activation.position, activation.definition.type, activation.id, table.nextNumber(due)],
    due,
    callId,
    to: { type: to.type, id: to.id },
    method: to.method.name,
    onOutcome: onOutcome === undefined ? null : String(onOutcome),
    caller: JSON.stringify(turn.asCaller),
    requestId: context.requestId,
    traceparent: context.traceparent ?? null,
    expiresAt: expiresIn === undefined ? null : leaves + expiresIn,
    log: log ?? null,
    bytes: text?.length ?? 0,
    request: text,
    fresh: { method: to.method, caller: turn.asCaller, raw: copy, request: parsed },
  };
  addToTurn(parts, turn, message);
  return callId;
}

/** The message is sent if the turn succeeds. @throws EdgeverseError `PAYLOAD_TOO_LARGE`, `OVERLOADED` */
export function addToTurn({ memory, outbox }: TurnMessageParts, turn: Turn, message: Message): void {
  const names = { verb: "send", noun: "messages" };
  const make = () => new TurnRows<Message>(turn.activation, { memory, box: outbox, bytesOf: messageBytes, ...names });
  TurnEffects.of(turn).of("messages", make).add(message);
}
