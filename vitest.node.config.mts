import { defineConfig } from "vitest/config";
import { aliases } from "./vitest.aliases.mts";

export default defineConfig({
  resolve: { alias: aliases },
  test: {
    name: "node",
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: ["test/workerd/**", "test/package/**", "node_modules/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
