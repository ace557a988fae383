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
    // Modules are loaded once a worker and not once a file: half the time of small files. A test leaves no global changed.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
