import { LiveObjects } from "../../src/partition/live/live-objects.ts";
import { OutboxTable } from "../../src/partition/outbox/outbox-table.ts";
import { ClientCalls } from "../../src/push/client-calls.ts";
import { Connection } from "../../src/push/connection.ts";
import { Feed } from "../../src/push/feed.ts";
import { Gate } from "../../src/push/gate.ts";
import { patchBetween } from "../../src/push/json-patch.ts";
import { LiveObject } from "../../src/push/live-object.ts";
import { LiveStates } from "../../src/push/live-states.ts";
import { MessageLog } from "../../src/push/message-log.ts";
import { SessionTable } from "../../src/push/session-table.ts";
import { GATE_TYPE } from "../../src/push/target.ts";
import type { LiveCopy } from "../../src/push/watch.ts";
import { Router } from "../../src/router/router.ts";
import { SimWire } from "../../src/testing/simulation/push/sim-connection.ts";
import { SimGates } from "../../src/testing/simulation/push/sim-gates.ts";
import { BEGINNING } from "../../src/testing/simulation/sim-clock.ts";
import { both, instead, type Plant, type PlantedBug } from "./plant.ts";

let copies = 0;

/** Puts a constant in place of a getter. */
function getting<Class extends object>(target: Class, name: keyof Class, value: unknown): Plant {
  return () => {
    const real = Object.getOwnPropertyDescriptor(target, name) as PropertyDescriptor;
    Object.defineProperty(target, name, { ...real, get: () => value });
    return () => Object.defineProperty(target, name, real);
  };
}

/** Bugs of gates, and of partitions that send to them, that one could make. */
export const PUSH_BUGS: Readonly<Record<string, PlantedBug>> = {
  "what a client was not sent counts as acknowledged": {
    plant: instead(Connection.prototype, "position", () => (head) => head),
    within: 200,
    seed: 10,
  },
  "a gate that has slept sends nothing again": {
    plant: instead(
      Feed.prototype,
      "restore",
      (real) =>
        function (this: Feed, acknowledged) {
          real.call(this, new Map(Array.from(acknowledged.keys(), (each) => [each, Number.MAX_SAFE_INTEGER])));
        },
    ),
    within: 2_000,
    seed: 1183,
  },
  "a gate that has slept sends everything again": {
    plant: instead(
      Feed.prototype,
      "restore",
      (real) =>
        function (this: Feed, acknowledged) {
          real.call(this, new Map(Array.from(acknowledged.keys(), (each) => [each, 0])));
        },
    ),
    within: 400,
    seed: 14,
  },
  "a gap is not told": { plant: getting(MessageLog.prototype, "gone", 0), within: 400, seed: 20 },
  "a gate's messages are not read again after a crash or a move": {
    plant: instead(
      OutboxTable.prototype,
      "page",
      (real) =>
        function (this: OutboxTable, ...parameters) {
          return real.apply(this, parameters).filter(({ to }) => to.type !== GATE_TYPE);
        },
    ),
    within: 400,
    seed: 9,
  },
  "a partition takes an error of a gate for an answer": {
    plant: instead(
      SimGates.prototype,
      "of",
      (real) =>
        function (this: SimGates, process) {
          const gates = real.call(this, process);
          return gates && { ...gates, deliver: (...sent) => gates.deliver(...sent).catch(() => undefined) };
        },
    ),
    within: 400,
    seed: 17,
  },
  "messages come to a gate under another id each time": {
    plant: instead(
      Gate.prototype,
      "deliver",
      (real) =>
        function (this: Gate, messages) {
          return real.call(
            this,
            messages.map((message) => ({ ...message, callId: `${message.callId}-${copies++}` })),
          );
        },
    ),
    within: 400,
    seed: 2,
  },
  "that a session has ended is told under another id each time": {
    plant: instead(
      Router.prototype,
      "call",
      (real) =>
        function (this: Router, message) {
          const reliable = message.reliable && {
            ...message.reliable,
            callId: `${message.reliable.callId}-${copies++}`,
          };
          return real.call(this, message.caller.kind === "system" && reliable ? { ...message, reliable } : message);
        },
    ),
    within: 400,
    seed: 75,
  },
  "the session of a client that is back still ends": {
    plant: instead(SessionTable.prototype, "connected", () => () => undefined),
    within: 400,
    seed: 9,
  },
  "the late end of a first connection ends the session": {
    plant: instead(
      Gate.prototype,
      "closed",
      (real) =>
        function (this: Gate, wire) {
          real.call(this, wire);
          if (!(wire instanceof SimWire) || wire.connection.note?.kind !== "open") return;
          const { storage } = wire.process;
          const ends = BEGINNING + Math.floor(wire.connection.parts.time.now) + 1_000;
          storage?.query("UPDATE sessions SET ends = ? WHERE client = ?", ends, wire.connection.note.client);
          storage?.wakeAt(ends);
        },
    ),
    within: 400,
    seed: 9,
  },
  "a patch is made from the state before the last": {
    plant: () => {
      const before = new WeakMap<LiveObject, LiveCopy | undefined>();
      return instead(
        LiveObject.prototype,
        "take",
        (real) =>
          function (this: LiveObject, state) {
            const [older, last] = [before.get(this), this.copy];
            const taken = real.call(this, state);
            if (taken?.patch === undefined) return taken;
            before.set(this, last);
            const text = older?.state && taken.copy.state && patchBetween(older.state, taken.copy.state);
            return text ? { ...taken, patch: { ...taken.patch, text } } : taken;
          },
      )();
    },
    within: 400,
    seed: 20,
  },
  "a gate does not ask again for what it watches": {
    plant: both(
      instead(LiveStates.prototype, "look", () => () => undefined),
      instead(
        LiveStates.prototype,
        "changed",
        (real) =>
          function (this: LiveStates, from, changes) {
            return changes === null ? { unwanted: [] } : real.call(this, from, changes);
          },
      ),
    ),
    within: 400,
    seed: 17,
  },
  "a watch ends when the disk of the object's owner is full": {
    plant: instead(
      LiveObjects.prototype,
      "watch",
      (real) =>
        async function (this: LiveObjects, gate, wants) {
          const answers = await real.call(this, gate, wants);
          return answers.map((answer) =>
            answer.kind === "refused" ? { ...answer, error: { ...answer.error, retryable: false } } : answer,
          );
        },
    ),
    within: 1_000,
    seed: 23,
  },
  "a call that was cancelled is answered": {
    plant: instead(ClientCalls.prototype, "cancel", () => () => undefined),
    within: 400,
    seed: 9,
  },
};
