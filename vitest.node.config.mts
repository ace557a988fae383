import { defineConfig } from "vitest/config";
import { aliases } from "./vitest.aliases.mts";
import { maxWorkers } from "./vitest.workers.mts";

export default defineConfig({
  resolve: { alias: aliases },
  test: {
    name: "node",
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: ["test/workerd/**", "test/package/**", "node_modules/**"],
    maxWorkers,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
