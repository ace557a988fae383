import { defineConfig } from "vitest/config";
import { LongestFirst } from "./vitest.sequencer.mts";

export default defineConfig({
  test: {
    projects: ["vitest.node.config.mts", "vitest.workerd.config.mts", "vitest.package.config.mts"],
    sequence: { sequencer: LongestFirst },
  },
});
