import { defineConfig } from "vitest/config";
import { maxWorkers } from "./vitest.workers.mts";

/** What is published, tried from its tarball as its users do. */
export default defineConfig({
  test: {
    name: "package",
    include: ["test/package/**/*.test.ts"],
    globalSetup: ["test/package/packed.setup.ts"],
    maxWorkers,
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
