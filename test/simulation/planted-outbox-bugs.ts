import type { ReliableOptions } from "../../src/object/message.ts";
import { CallDriver } from "../../src/partition/calls/call-driver.ts";
import { Deliveries } from "../../src/partition/outbox/deliveries.ts";
import { Outbox } from "../../src/partition/outbox/outbox.ts";
import { OutboxTable } from "../../src/partition/outbox/outbox-table.ts";
import { Sending } from "../../src/partition/outbox/sending.ts";
import { GroupCommit } from "../../src/partition/storage/group-commit.ts";
import { TurnEffects } from "../../src/partition/turns/turn-effect.ts";
import { instead, type PlantedBug } from "./plant.ts";

let copies = 0;

/** Bugs of the outbox that one could make. */
export const OUTBOX_BUGS: Readonly<Record<string, PlantedBug>> = {
  "messages are not read again after a crash": {
    plant: instead(OutboxTable.prototype, "page", () => () => []),
    within: 200,
  },
  "messages are sent again under another id": {
    plant: instead(
      Sending.prototype,
      "toReceiver",
      (real) =>
        function (this: Sending, ...parameters) {
          const call = real.apply(this, parameters);
          return { ...call, reliable: { ...(call.reliable as ReliableOptions), callId: `copy-${copies++}` } };
        },
    ),
    within: 200,
  },
  "an outcome is told under a new id each time": {
    plant: instead(
      Sending.prototype,
      "toSender",
      (real) =>
        function (this: Sending, ...parameters) {
          const call = real.apply(this, parameters);
          return { ...call, reliable: { ...(call.reliable as ReliableOptions), callId: `copy-${copies++}` } };
        },
    ),
    within: 400,
    seed: 59,
  },
  "messages of one pair leave side by side": {
    plant: instead(
      Deliveries.prototype,
      "add",
      (real) =>
        function (this: Deliveries, sending) {
          (sending as { lane: string }).lane += copies++;
          real.call(this, sending);
        },
    ),
    within: 400,
    seed: 272,
  },
  "a turn that fails has sent what it sent": {
    plant: instead(
      TurnEffects.prototype,
      "close",
      (real) =>
        function (this: TurnEffects) {
          this.publish();
          real.call(this);
        },
    ),
    within: 200,
  },
  "what comes with a shard is left lying": {
    plant: instead(
      Outbox.prototype,
      "resume",
      (real) =>
        function (this: Outbox) {
          // Only the process that starts calls it from there.
          if (new Error().stack?.includes("PartitionCore.resume") === true) real.call(this);
        },
    ),
    within: 400,
    seed: 31,
  },
  "a message is removed before its receiver has it": {
    plant: instead(
      Deliveries.prototype,
      "add",
      (real) =>
        function (this: Deliveries, sending) {
          const kept = sending.message.onOutcome;
          if (copies++ % 4 > 0 || kept === null) real.call(this, sending);
          else this.goOn(Object.assign(sending, { message: { ...sending.message, onOutcome: null } }));
        },
    ),
    within: 200,
  },
  "a message is lost with the receiver that was to take it at once": {
    plant: instead(
      GroupCommit.prototype,
      "handOver",
      (real) =>
        function (this: GroupCommit, handOver) {
          const nothing = { bulk: { store: () => undefined }, row: undefined };
          real.call(this, { ...handOver, instead: nothing, onInstead: () => undefined });
        },
    ),
    within: 200,
    seed: 6,
  },
  "a message is taken at once, and its sender not stored": {
    plant: instead(GroupCommit.prototype, "handOver", () => () => undefined),
    within: 200,
    seed: 6,
  },
  "a call is kept that came with a refused turn": {
    plant: () => {
      const added = instead(
        CallDriver.prototype,
        "add",
        (real) =>
          function (this: CallDriver, entry) {
            entry.handed = false;
            real.call(this, entry);
          },
      )();
      const handedOver = instead(
        GroupCommit.prototype,
        "handOver",
        (real) =>
          function (this: GroupCommit, handOver) {
            real.call(this, { ...handOver, onRefused: () => undefined });
          },
      )();
      return () => {
        added();
        handedOver();
      };
    },
    within: 200,
    seed: 6,
  },
};
