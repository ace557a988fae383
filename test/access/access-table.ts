import type { Identity } from "../../src/access/identity.ts";

/** What becomes of a call of `Vault/ann`, by its method and by who calls. `inner`: objects and the Worker's own code. */
export const TABLE = {
  open: { anonymous: "ran", ann: "ran", bob: "ran", root: "ran", inner: "ran" },
  any: { anonymous: "UNAUTHENTICATED", ann: "ran", bob: "ran", root: "ran", inner: "ran" },
  play: { anonymous: "UNAUTHENTICATED", ann: "ran", bob: "ran", root: "ACCESS_DENIED", inner: "ran" },
  mine: { anonymous: "UNAUTHENTICATED", ann: "ran", bob: "ACCESS_DENIED", root: "ACCESS_DENIED", inner: "ran" },
  manage: { anonymous: "UNAUTHENTICATED", ann: "ACCESS_DENIED", bob: "ACCESS_DENIED", root: "ran", inner: "ran" },
  mineOrAdmin: { anonymous: "UNAUTHENTICATED", ann: "ran", bob: "ACCESS_DENIED", root: "ran", inner: "ran" },
  hidden: {
    anonymous: "METHOD_NOT_FOUND",
    ann: "METHOD_NOT_FOUND",
    bob: "METHOD_NOT_FOUND",
    root: "METHOD_NOT_FOUND",
    inner: "ran",
  },
  closed: {
    anonymous: "ACCESS_DENIED",
    ann: "ACCESS_DENIED",
    bob: "ACCESS_DENIED",
    root: "ACCESS_DENIED",
    inner: "ACCESS_DENIED",
  },
  outside: { anonymous: "ran", ann: "ran", bob: "ran", root: "ran", inner: "ACCESS_DENIED" },
  inside: {
    anonymous: "ACCESS_DENIED",
    ann: "ACCESS_DENIED",
    bob: "ACCESS_DENIED",
    root: "ACCESS_DENIED",
    inner: "ran",
  },
} as const;
export type Method = keyof typeof TABLE;
export type Person = "anonymous" | "ann" | "bob" | "root";
export const METHODS = Object.keys(TABLE) as Method[];
/** Who they are. */
export const PEOPLE: Readonly<Record<Person, Identity | null>> = {
  anonymous: null,
  ann: { id: "ann", roles: ["player"] },
  bob: { id: "bob", roles: ["player"] },
  root: { id: "root", roles: ["admin"] },
};
export const ALL_PEOPLE = Object.keys(PEOPLE) as Person[];
