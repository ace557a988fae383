import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: ["vitest.node.mts", "vitest.workerd.mts"],
  },
});
