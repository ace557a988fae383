import { join } from "node:path";
import { unstable_startWorker } from "wrangler";

/** A Worker that wrangler bundled and runs in workerd, with what its `wrangler.toml` binds; nothing of it is kept. */
export type RunningWorker = Awaited<ReturnType<typeof unstable_startWorker>>;

export async function startWorker(folder: string, main = "index.ts"): Promise<RunningWorker> {
  const here = join(import.meta.dirname, folder);
  const worker = await unstable_startWorker({
    config: join(here, "wrangler.toml"),
    entrypoint: join(here, main),
    dev: {
      persist: false,
      watch: false,
      liveReload: false,
      inspector: false,
      server: { hostname: "127.0.0.1", port: 0 },
      logLevel: "warn",
    },
  });
  await worker.ready;
  return worker;
}
