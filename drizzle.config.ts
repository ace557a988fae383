import { defineConfig } from "drizzle-kit";

/** `drizzle-kit generate` writes `migrations/` from `schema/`. `npm run migrate` applies them. */
export default defineConfig({ dialect: "postgresql", schema: "./schema", out: "./migrations" });
