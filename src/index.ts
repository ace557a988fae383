export { defineHost, type HostOptions } from "../workers/define-host.ts";
export type { ErrorCode } from "./errors/codes.ts";
export { EdgeverseError } from "./errors/edgeverse-error.ts";
export type { CallContext, Caller, CallOptions, Identity } from "./object/call.ts";
export { type LogPolicy, type MethodOptions, method } from "./object/method.ts";
export type { ObjectStore, StoreRange, StoreRow } from "./object/store.ts";
export {
  type DeactivationReason,
  type Migration,
  type MoveVote,
  type ObjectClass,
  type Stub,
  VirtualObject,
} from "./object/virtual-object.ts";
