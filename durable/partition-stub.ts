import type { CallMessage, Reply } from "../src/object/message.ts";
import type { PartitionClient, Told } from "../src/router/ports.ts";
import { callToWire, type PartitionRpc, replyFromWire } from "./wire.ts";

type Forwarded = Exclude<keyof PartitionClient, "call">;

/** Every method of a partition but `call`, which travels in a shape of its own. */
const FORWARDED: Readonly<Record<Forwarded, true>> = {
  batch: true,
  batchSoon: true,
  fetchReply: true,
  withdraw: true,
  lifecycle: true,
  callRecord: true,
  callRecords: true,
  newestCalls: true,
  callStats: true,
  callCounters: true,
  causedBy: true,
  describe: true,
  status: true,
  reportClients: true,
  shards: true,
  objects: true,
  find: true,
  advance: true,
  undo: true,
  transfer: true,
  activate: true,
  drop: true,
  inquire: true,
  reshard: true,
  wake: true,
  sweepMarks: true,
  parkedCalls: true,
  unpark: true,
  cancelCall: true,
  failCall: true,
  asideEvents: true,
  decideEvent: true,
  load: true,
  configure: true,
  settings: true,
  watch: true,
};

/** A partition behind the stub of its Durable Object. */
class PartitionStub {
  readonly rpc: PartitionRpc;

  constructor(rpc: PartitionRpc) {
    this.rpc = rpc;
  }

  call(message: CallMessage, settings?: number): Promise<Told<Reply>> {
    return this.rpc.call(...callToWire(message, settings)).then(replyFromWire);
  }
}

for (const name of Object.keys(FORWARDED) as Forwarded[]) {
  Object.defineProperty(PartitionStub.prototype, name, {
    value(this: PartitionStub, ...parameters: never[]) {
      return (this.rpc[name] as (...given: never[]) => unknown)(...parameters);
    },
  });
}

export function partitionStub(rpc: PartitionRpc): PartitionClient {
  return new PartitionStub(rpc) as unknown as PartitionClient;
}
