/** `edgeverse`: what authors of object classes use. It loads nothing but zod: no HTTP, no database, no platform. */
export type { ErrorCode } from "./errors/codes.ts";
export { EdgeverseError } from "./errors/edgeverse-error.ts";
export type { CallContext, Caller, CallOptions, Identity } from "./object/call.ts";
export type { StateOf } from "./object/contract.ts";
export { type LogPolicy, type MethodOptions, method, type RequestOf } from "./object/method.ts";
export { type CallOutcome, callOutcome, type OutboxOptions } from "./object/outbox.ts";
export type { ObjectStore, StorePage, StorePageRange, StoreRange, StoreRow } from "./object/store.ts";
export {
  type DeactivationReason,
  type MoveVote,
  type ObjectClass,
  type Outbox,
  type ShardMove,
  type Stub,
  VirtualObject,
} from "./object/virtual-object.ts";
