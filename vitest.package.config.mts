import { defineConfig } from "vitest/config";

/** What is published, tried from its tarball as its users do. After the other tests, which want both cores. */
export default defineConfig({
  test: {
    name: "package",
    include: ["test/package/**/*.test.ts"],
    globalSetup: ["test/package/packed.setup.ts"],
    sequence: { groupOrder: 1 },
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
