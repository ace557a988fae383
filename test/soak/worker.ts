import { defineHost, type Env } from "edgeverse/cloudflare";
import { Auction } from "../../examples/auction.ts";
import { Counter } from "../../examples/counter.ts";
import { Journal } from "../../examples/journal.ts";
import { Wallet } from "../../examples/wallet.ts";
import { OPEN } from "../support/open-access.ts";
import { Account } from "./account.ts";
import { Poison } from "./poison.ts";

const host = defineHost({
  objects: [Counter, Wallet, Journal, Auction, Account, Poison],
  access: OPEN,
  events: { hook: { kind: "webhook", url: "SOAK_HOOK_URL", secret: "SOAK_HOOK_SECRET", topics: "*" } },
});

type Rpc = (...parameters: unknown[]) => unknown;

/**
 * A partition that can fall silent: it takes every message, and does what it says when the silence is over. All partitions
 * of the local host are in one process, so nothing from outside could stop one of them alone.
 */
export class Partition extends host.Partition {
  silent: Promise<void> | undefined;

  async fallSilent(ms: number): Promise<void> {
    const silence = new Promise<void>((resolve) => setTimeout(resolve, ms)).then(() => {
      if (this.silent === silence) this.silent = undefined;
    });
    this.silent = silence;
  }
}

const messages = Object.getOwnPropertyDescriptors(host.Partition.prototype) as Record<string, { value?: unknown }>;
for (const [name, { value }] of Object.entries(messages)) {
  if (name === "constructor" || typeof value !== "function") continue;
  const message = value as Rpc;
  Object.defineProperty(Partition.prototype, name, {
    async value(this: Partition, ...parameters: unknown[]) {
      if (this.silent !== undefined) await this.silent;
      return message.apply(this, parameters);
    },
  });
}

export const { Coordinator } = host;

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/soak/silence") return host.worker.fetch(request, env, ctx);
    const partitions = env.PARTITION as unknown as DurableObjectNamespace<Partition>;
    const partition = partitions.getByName(searchParams.get("partition") ?? "");
    await partition.fallSilent(Number(searchParams.get("ms")));
    return new Response("silent");
  },
  scheduled: host.scheduled,
};
