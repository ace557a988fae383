import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest, the longest first: begun last, one of these would hold up the end alone. */
const LONGEST = [
  "test/package/",
  "test/placement/explore.test.ts",
  "test/simulation/",
  "test/verify/",
  "test/soak/",
  "test/room/",
  "test/local/",
  "test/durable/",
  "test/end-to-end/",
  "test/partition/leftovers.test.ts",
  "test/partition/deadlock-search.test.ts",
  "test/workers/",
];

/** Begins with the files that take longest. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const path = relative(import.meta.dirname, moduleId);
      const found = LONGEST.findIndex((each) => path.startsWith(each));
      return found < 0 ? LONGEST.length : found;
    };
    const sorted = await super.sort(files);
    return sorted.sort((one, other) => place(one) - place(other)); // What is equal stays in its order.
  }
}
