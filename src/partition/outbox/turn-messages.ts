import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { checkOutboxOptions, type OutboxOptions } from "../../object/outbox.ts";
import { copyRequest } from "../../object/outgoing-call.ts";
import type { MethodDefinition, Registry, TypeDefinition } from "../../object/registry.ts";
import { parseRequest } from "../../object/request.ts";
import type { Random } from "../../platform/ports.ts";
import { newCallId } from "../../reliable/call-id.ts";
import { type Message, messageBytes } from "../storage/message-rows.ts";
import type { MemoryBudget } from "../turns/memory-budget.ts";
import type { Turn, TurnActivation } from "../turns/turn.ts";
import { type TurnEffect, TurnEffects } from "../turns/turn-effect.ts";
import type { Outbox } from "./outbox.ts";
import type { OutboxTable } from "./outbox-table.ts";

interface Parts {
  readonly registry: Registry;
  readonly random: Random;
  readonly table: OutboxTable;
  readonly memory: MemoryBudget;
  readonly outbox: Outbox;
  readonly config: { readonly maxMessage: number };
}

/** Messages that one turn may send, and their bytes. */
const MOST = { messages: 1_000, bytes: 8 * 1024 * 1024 };

/** What one turn sends: stored and delivered if it succeeds. */
class TurnMessages implements TurnEffect {
  readonly #activation: TurnActivation;
  readonly #memory: MemoryBudget;
  readonly #outbox: Outbox;
  #messages: Message[] = [];
  #bytes = 0;

  constructor(activation: TurnActivation, memory: MemoryBudget, outbox: Outbox) {
    this.#activation = activation;
    this.#memory = memory;
    this.#outbox = outbox;
  }

  /** @throws EdgeverseError `PAYLOAD_TOO_LARGE`, `OVERLOADED` */
  add(message: Message): void {
    const bytes = messageBytes(message);
    this.#checkSize(this.#messages.length + 1, this.#bytes + bytes);
    this.#outbox.checkRoom(this.#bytes + bytes);
    this.#memory.hold(bytes);
    this.#messages.push(message);
    this.#bytes += bytes;
  }

  checkAbsorb(inner: this): void {
    this.#checkSize(this.#messages.length + inner.#messages.length, this.#bytes + inner.#bytes);
  }

  absorb(inner: this): void {
    this.#messages.push(...inner.#messages);
    this.#bytes += inner.#bytes;
    inner.#messages = [];
    inner.#bytes = 0;
  }

  check(): void {
    this.#outbox.checkRoom(this.#bytes);
  }

  publish(): void {
    this.#outbox.publish(this.#activation, this.#messages);
  }

  close(): void {
    this.#memory.free(this.#bytes);
    this.#bytes = 0;
    this.#messages = [];
  }

  #checkSize(messages: number, bytes: number): void {
    if (messages <= MOST.messages && bytes <= MOST.bytes) return;
    throw new EdgeverseError(
      "PAYLOAD_TOO_LARGE",
      `Cannot send more than ${MOST.messages} calls, or ${MOST.bytes} bytes of them, from one turn`,
    );
  }
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
      return send(parts, turn, { type, id, method: parts.registry.method(definition, name) }, request, options);
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
  { random, table, memory, outbox, config }: Parts,
  turn: Turn,
  to: { readonly type: string; readonly id: string; readonly method: MethodDefinition },
  request: unknown,
  { onOutcome, delay = 0, expiresIn, log }: OutboxOptions,
): string {
  const copy = copyRequest(request, config.maxMessage);
  // What the receiver would refuse is an error here, where somebody can mend it.
  parseRequest(to.method, copy);
  const text = copy === undefined ? null : JSON.stringify(copy);
  const { activation, context, startedAt: now } = turn;
  const leaves = now + Math.ceil(delay);
  const callId = newCallId(leaves, random.uuid());
  const message: Message = {
    place: [activation.position, activation.definition.type, activation.id, table.nextNumber()],
    due: delay > 0 ? leaves : 0,
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
  };
  const make = () => new TurnMessages(activation, memory, outbox);
  TurnEffects.of(turn).of("messages", make).add(message);
  return callId;
}
