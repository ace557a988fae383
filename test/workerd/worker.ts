import { method, VirtualObject } from "edgeverse";
import { defineHost } from "edgeverse/cloudflare";
import { z } from "zod";
import { ChatRoom } from "../../examples/chat-room.ts";
import { Counter } from "../../examples/counter.ts";
import { Journal } from "../../examples/journal.ts";
import { Wallet } from "../../examples/wallet.ts";

/** Takes its time, so that tests can end its process in the middle. */
class Slow extends VirtualObject<{ done: number }> {
  static override readonly type = "Slow";
  static override readonly state = z.object({ done: z.number().default(0) });
  static override readonly methods = {
    work: method({ request: z.object({ ms: z.number() }) }),
    done: method({ readonly: true }),
    look: method({ readonly: true, request: z.object({ ms: z.number() }) }),
    partitions: method({ readonly: true }),
  };

  async work({ ms }: { ms: number }) {
    const before = this.state.done;
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.state.done = before + 1;
    return { done: this.state.done };
  }

  async look({ ms }: { ms: number }) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return { done: this.state.done };
  }

  done() {
    return { done: this.state.done };
  }

  partitions() {
    return { bound: this.env.PARTITION.idFromName("p0").name, token: this.env.EDGEVERSE_ADMIN_TOKEN };
  }
}

const host = defineHost({ objects: [Counter, Wallet, ChatRoom, Journal, Slow] });

export default host.worker;
export const { Partition, Coordinator } = host;
