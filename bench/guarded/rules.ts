/** Rules as a host might have them; none of them decides about the calls that are measured. */
export const RULES = [
  { type: "Owned", id: "test-*", access: "REJECT" },
  { type: "Owned", id: "*-archived", access: "INTERNAL" },
  { type: "*", method: "reset*", access: "ALLOW", roles: ["admin"] },
] as const;
