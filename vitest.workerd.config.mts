import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { aliases } from "./vitest.aliases.mts";

export default defineConfig({
  resolve: { alias: aliases },
  plugins: [
    cloudflareTest(({ inject }) => ({
      main: "./test/workerd/worker.ts",
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        bindings: {
          EDGEVERSE_PARTITIONS: "3",
          EDGEVERSE_GATES: "2",
          EDGEVERSE_ADMIN_TOKEN: "test-admin-token",
          DATABASE_URL: inject<string>("databaseUrl"),
          EDGEVERSE_SQL_ENDPOINT: inject<string>("sqlEndpoint"),
          WEBHOOK_URL: inject<string>("webhookUrl"),
          WEBHOOK_SECRET: `whsec_${btoa("a secret of twenty-four b")}`,
        },
        queueProducers: { EVENTS: "events" },
        queueConsumers: { events: { maxBatchSize: 100, maxBatchTimeout: 0.1 } },
      },
    })),
  ],
  test: {
    name: "workerd",
    include: ["test/workerd/**/*.test.ts"],
    globalSetup: ["test/workerd/postgres.setup.ts", "test/workerd/webhook.setup.ts"],
    fileParallelism: false, // They share a database.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
