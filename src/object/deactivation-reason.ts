/** Why an object leaves memory. */
export type DeactivationReason = "idle" | "capacity" | "moved";
