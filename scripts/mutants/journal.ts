import { appendFileSync, readFileSync } from "node:fs";

/** Ms that any mutant may take on any test. */
export const SHORTEST_LIMIT = 5_000;

/** What happened in a run, in order. Read again after a process had to be ended, so that the next one goes on from there. */
export type Entry =
  /** Mutants of code that ran while modules were loaded. */
  | { readonly kind: "loaded"; readonly mutants: readonly string[] }
  /** A mutant is about to be tried on a test that takes no longer than `limit` ms. */
  | { readonly kind: "try"; readonly mutant: string; readonly limit: number }
  | { readonly kind: "killed"; readonly mutant: string }
  /** All mutants that the test runs into were tried on it. */
  | { readonly kind: "done"; readonly test: string }
  /** The test is not tried on mutants: it takes too long, or fails without any, if only when it runs a second time. */
  | { readonly kind: "left out"; readonly test: string; readonly why: "long" | "fails" | "unsteady" };

export class Journal {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** At once: a mutant may hang the process. */
  add(entry: Entry): void {
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }

  entries(): Entry[] {
    const lines = readFileSync(this.#file, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Entry);
  }
}
