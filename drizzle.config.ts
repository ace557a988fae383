import { defineConfig } from "drizzle-kit";

/** `drizzle-kit generate` writes `migrations/` from `schema/`. Applied by `local/postgres/migrate.ts`, or `drizzle-kit migrate`. */
export default defineConfig({ dialect: "postgresql", schema: "./schema", out: "./migrations" });
