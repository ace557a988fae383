/** `edgeverse`: what authors of object classes use. It loads nothing but zod: no HTTP, no database, no platform. */
export type { Access, AccessRule, TypeAccess } from "./access/access.ts";
export type { Identity } from "./access/identity.ts";
export type { ErrorCode } from "./errors/codes.ts";
export { EdgeverseError } from "./errors/edgeverse-error.ts";
export type { CallContext, Caller, CallOptions } from "./object/call.ts";
export { clientGone } from "./object/client-messages.ts";
export type { StateOf } from "./object/contract.ts";
export type { DeactivationReason } from "./object/deactivation-reason.ts";
export type { EventSchemas, PublicEvent } from "./object/event.ts";
export { type LogPolicy, type MethodOptions, method, type RequestOf } from "./object/method.ts";
export type { ObjectClass } from "./object/object-class.ts";
export type { IndexFunction, IndexValue } from "./object/object-index.ts";
export { type CallOutcome, callOutcome, type OutboxOptions } from "./object/outbox.ts";
export type { DueReminder, Reminder, ReminderTime } from "./object/reminder.ts";
export type { MoveVote, ShardMove } from "./object/shard-move.ts";
export type { ObjectStore, StorePage, StorePageRange, StoreRange, StoreRow } from "./object/store.ts";
export type { Outbox, Stub } from "./object/stub-types.ts";
export { VirtualObject } from "./object/virtual-object.ts";
