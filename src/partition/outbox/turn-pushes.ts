import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { ClientMessages } from "../../object/client-messages.ts";
import { copyRequest } from "../../object/outgoing-call.ts";
import { gateOf } from "../../push/client-id.ts";
import { GATE_TYPE, type Target, TO_ALL, toClient, toTopic } from "../../push/target.ts";
import { checkTopic } from "../../push/topic.ts";
import { newCallId } from "../../reliable/call-id.ts";
import type { Turn } from "../turns/turn.ts";
import { addToTurn, type TurnMessageParts } from "./turn-messages.ts";

interface Parts extends TurnMessageParts {
  /** Names of the gates; undefined where there are none. */
  readonly gates: readonly string[] | undefined;
}

/** Bytes of JSON of a message to clients: each of them is to hold several in memory. */
export const MAX_PUSH = 128 * 1024;

/**
 * What `this.push`, `this.publish` and `this.broadcast` do: a message is a row for each gate that it concerns, however many
 * clients it reaches there ([PUSH2]).
 */
export function turnPushes(parts: Parts): (turn: Turn) => ClientMessages {
  return (turn) => {
    const gates = parts.gates;
    if (gates === undefined)
      throw new EdgeverseError(
        "CONFLICT",
        "This host has no gates, so it reaches no clients: bind the Durable Object GATE, and give defineHost the option push",
      );
    return {
      push(client, message) {
        const gate = typeof client === "string" ? gateOf(client) : undefined;
        if (gate === undefined)
          throw new EdgeverseError("INVALID_ARGUMENT", "Cannot push: the first argument must be a client id");
        // No client has the id of a gate that there is not.
        if (gates.includes(gate)) send(parts, turn, [gate], toClient(client), message);
      },
      publish(topic, message) {
        checkTopic(topic);
        send(parts, turn, gates, toTopic(topic), message);
      },
      broadcast: (message) => send(parts, turn, gates, TO_ALL, message),
    };
  };
}

function send(parts: Parts, turn: Turn, gates: readonly string[], target: Target, message: unknown): void {
  const { activation, context, startedAt } = turn;
  const copy = copyRequest(message, MAX_PUSH);
  if (copy === undefined)
    throw new EdgeverseError("INVALID_ARGUMENT", "Cannot send undefined to clients: a message is a JSON value");
  const request = JSON.stringify(copy);
  for (const gate of gates)
    addToTurn(parts, turn, {
      place: [activation.position, activation.definition.type, activation.id, parts.table.nextNumber()],
      due: 0,
      callId: newCallId(startedAt, parts.random.uuid()),
      to: { type: GATE_TYPE, id: gate },
      method: target,
      onOutcome: null,
      caller: "{}",
      requestId: context.requestId,
      traceparent: null,
      expiresAt: null,
      log: null,
      bytes: request.length,
      request,
    });
}
