/** A room of the protocol, and the tests that must notice what changes in it. */
export interface Room {
  readonly folder: string;
  /** Not the simulation, nor what else takes many seconds: each test runs for hundreds of changes. */
  readonly tests: readonly string[];
}

const partition = (...names: string[]) => names.map((name) => `test/partition/${name}.test.ts`);

export const ROOMS: Readonly<Record<string, Room>> = {
  placement: { folder: "src/placement", tests: ["test/placement/!(explore).test.ts"] },
  reliable: { folder: "src/reliable", tests: ["test/reliable/*.test.ts"] },
  router: { folder: "src/router", tests: ["test/router/*.test.ts"] },
  storage: { folder: "src/partition/storage", tests: partition("!(model|leftovers)") },
  calls: { folder: "src/partition/calls", tests: partition("!(model|leftovers)") },
  moves: { folder: "src/partition/moves", tests: partition("!(model)") },
  turns: { folder: "src/partition/turns", tests: partition("!(model|leftovers)") },
};
