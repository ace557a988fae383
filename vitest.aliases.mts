import { join } from "node:path";

const source = (path: string) => join(import.meta.dirname, path);

/** The package's names stand for its sources here, as in `paths` of tsconfig.json. */
export const aliases = [
  { find: /^edgeverse$/, replacement: source("src/index.ts") },
  { find: "edgeverse/client", replacement: source("client/index.ts") },
  { find: "edgeverse/cloudflare", replacement: source("workers/cloudflare.ts") },
  { find: "edgeverse/jwt", replacement: source("workers/jwt.ts") },
  { find: "edgeverse/postgres", replacement: source("durable/postgres.ts") },
  { find: "edgeverse/react", replacement: source("client/react.ts") },
  { find: "edgeverse/testing/vitest", replacement: source("src/testing/vitest.ts") },
  { find: "edgeverse/testing", replacement: source("src/testing/index.ts") },
  { find: "edgeverse/verify", replacement: source("verify/probe.ts") },
];
