import type { ClientDebts, ClientReport } from "../limits/client-report.ts";
import type { CallMessage, Later, LeftCall, LifecycleMessage, Moved, Reply } from "../object/message.ts";
import type { LoadReport } from "../placement/load-report.ts";
import type {
  ActivateReply,
  MoveInquiry,
  MoveOrder,
  MoveReport,
  ReshardReply,
  TransferChunk,
  TransferReply,
  UndoReport,
} from "../placement/move.ts";
import type { ShardMap } from "../placement/shard-map.ts";
import type { CallKey, CallRecord, OwnerAnswer } from "../reliable/call-record.ts";
import type { CausedCalls } from "../reliable/caused-calls.ts";
import type { SweepOrder, SweepReport } from "../reliable/mark-sweep.ts";
import type { NewestCalls, NewestQuery, OwnerStats } from "../reliable/newest-calls.ts";
import type { VersionedDocument } from "../settings/document.ts";
import type { Confirmation, ProcessSettings } from "../settings/live-settings.ts";
import type { AsideEvents, AsideQuery, EventDecision, EventKey, EventVerdict } from "./event-views.ts";
import type { IndexPage, IndexQuery } from "./index-query.ts";
import type { LiveAnswer, LiveWant } from "./live-views.ts";
import type { OwnerCounters } from "./owner-counters.ts";
import type {
  ObjectCursor,
  ObjectDescription,
  ObjectListing,
  ObjectQuery,
  ParkedCalls,
  ParkedQuery,
  PartitionStatus,
} from "./views.ts";

/** What became of a call that an operator decides on, without its request: null is unknown, and `refused` says why nothing was changed. */
export type CallDecision = CallRecord | null | { readonly movedTo: string } | { readonly refused: string };

/** A partition as its callers see it. Methods reject when it can't be reached. */
export interface PartitionClient {
  /**
   * Runs a call.
   *
   * @param settings the greatest number of settings that the caller has seen; a partition with a greater one says so, and one
   *   with a smaller one looks for them. `batch` and `lifecycle` take it too; of a batch, the first reply says it
   */
  call(message: CallMessage, settings?: number): Promise<Told<Reply>>;
  /**
   * Replies in the order of the messages; once one of an object is `moved`, the later ones of that object are.
   *
   * @param room characters that the responses may have together, `BATCH_CHARACTERS` by default; a call that would exceed them does not run ([HTTP7])
   */
  batch(messages: readonly CallMessage[], room?: number, settings?: number): Promise<Told<Reply>[]>;
  /** The same, but calls that take longer than others are answered later. */
  batchSoon(messages: readonly CallMessage[], room?: number, settings?: number): Promise<Told<Reply | Later>[]>;
  /** Such an answer, once. Rejects when the process that had it has ended. */
  fetchReply(ticket: string): Promise<Reply>;
  /** Nobody waits for these calls any more: those that have not begun are dropped ([TURN12]). */
  withdraw(calls: readonly LeftCall[]): Promise<void>;
  lifecycle(message: LifecycleMessage, settings?: number): Promise<Told<Reply>>;
  callRecord(type: string, id: string, callId: string): Promise<CallRecord | null | { readonly movedTo: string }>;
  /** The same of many calls at once, in their order, with requests if `whole`: the first of them, at least one and as many as 4 MiB hold. */
  callRecords(keys: readonly CallKey[], whole?: boolean): Promise<OwnerAnswer[]>;
  /** The newest of its reliable calls, as keys. */
  newestCalls(query: NewestQuery): Promise<NewestCalls | { readonly movedTo: string }>;
  /** How many reliable calls it has, by type and status. */
  callStats(): Promise<OwnerStats>;
  /** What became of its reliable calls, and what waits. */
  callCounters(): Promise<OwnerCounters>;
  /** Calls that these calls have made: those it has, and what it has still to deliver of what their objects have sent. */
  causedBy(causes: readonly CallKey[], limit: number): Promise<CausedCalls>;
  describe(type: string, id: string): Promise<ObjectDescription | { readonly movedTo: string }>;
  status(): Promise<PartitionStatus>;
  /** What clients whose keeper it is have used at a router; answers with what they owe at all. */
  reportClients(report: ClientReport): Promise<ClientDebts>;
  /** Claimed shards with their epochs. */
  shards(): Promise<[shard: number, epoch: number][]>;
  objects(query: ObjectQuery): Promise<{ objects: ObjectListing[]; cursor?: ObjectCursor }>;
  /** Objects by an index of their type, in its order. */
  find(query: IndexQuery): Promise<IndexPage>;
  /** Takes a move out of here as far as it goes for now; may be asked any number of times. */
  advance(order: MoveOrder): Promise<MoveReport>;
  /** Takes a move back unless it is committed. */
  undo(order: MoveOrder): Promise<UndoReport>;
  /** Rows of a move to here, from its source. */
  transfer(chunk: TransferChunk): Promise<TransferReply>;
  /** The source has committed a move to here. */
  activate(order: MoveOrder): Promise<ActivateReply>;
  /** The source has taken a move to here back, and serves the shard with `epoch`. */
  drop(order: MoveOrder, epoch: number): Promise<void>;
  /** Whether a move from here is committed. */
  inquire(order: MoveOrder): Promise<MoveInquiry>;
  /** Counts shards anew: doubles or halves until there are `shards` ([SPLIT1]). An order under an older `version` is refused. */
  reshard(shards: number, version: number): Promise<ReshardReply>;
  /** What its shards had to do since it said so last, or since it started. */
  load(): Promise<LoadReport>;
  /** Resumes and ships what is left over. */
  wake(): Promise<void>;
  /** One step of a sweep that removes the marks of calls that ended long ago ([CALL9]). */
  sweepMarks(order: SweepOrder): Promise<SweepReport>;
  /** Parked calls in hash order, as many as 4 MiB hold. */
  parkedCalls(query: ParkedQuery): Promise<ParkedCalls>;
  /** Puts a parked call at the end of its object's line. */
  unpark(type: string, id: string, callId: string): Promise<CallDecision>;
  /** Lets go of a call that waits for its time. */
  cancelCall(type: string, id: string, callId: string, requestHash: string): Promise<CallDecision>;
  /** Ends a call that is parked, or that does not run now, as failed. */
  failCall(type: string, id: string, callId: string): Promise<CallDecision>;
  /** Events that their sinks did not take, in hash order. */
  asideEvents(query: AsideQuery): Promise<AsideEvents>;
  /** What a gate wants to be told of from now on, in order ([PUSH11]). */
  watch(gate: string, wants: readonly LiveWant[]): Promise<LiveAnswer[]>;
  /** Sends one of them once more, or removes it. */
  decideEvent(verdict: EventVerdict, key: EventKey): Promise<EventDecision>;
  /** Settings that the coordinator has; resolves when they are kept. Older ones than it has seen change nothing. */
  configure(offer: VersionedDocument): Promise<Confirmation>;
  /** The settings that it goes by. */
  settings(): Promise<ProcessSettings>;
}

/** With the greatest number of settings that a partition has seen, where the caller's is smaller. */
export type Told<Answer> = Answer & { readonly settings?: number };

/** Makes a client of a partition; a new one for every message, since one used after a reset fails. */
export type Connect = (partition: string) => PartitionClient;

/** The shard map as this process knows it. */
export interface MapCache {
  readonly map: ShardMap;
  owner(shard: number): string;
  learn(moved: Moved): void;
  /** Takes the coordinator's map if it can be had soon: calls don't depend on it ([OWN3]). Never rejects. */
  refresh(): Promise<void>;
}
