import { defineConfig } from "drizzle-kit";

const url = process.env["DATABASE_URL"];

/**
 * `npm run migrations` writes `migrations/` from `schema/`, and asks no database. `npm run migrate` applies them, and
 * drizzle-kit's own commands work on the database at `DATABASE_URL`: `npx drizzle-kit migrate`, `npx drizzle-kit studio`.
 */
export default defineConfig({
  dialect: "postgresql",
  schema: "./schema",
  out: "./migrations",
  ...(url === undefined ? {} : { dbCredentials: { url } }),
});
