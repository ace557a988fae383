import { method, type ReminderTime, VirtualObject } from "edgeverse";
import type { HostOptions } from "edgeverse/cloudflare";
import { z } from "zod";
import { ChatRoom } from "../../examples/chat-room.ts";
import { Counter } from "../../examples/counter.ts";
import { Journal } from "../../examples/journal.ts";
import { Wallet } from "../../examples/wallet.ts";
import { OPEN } from "../support/open-access.ts";

/** Takes its time, so that tests can end its process in the middle. */
export class Slow extends VirtualObject<{ done: number }> {
  static override readonly type = "Slow";
  static override readonly state = z.object({ done: z.number().default(0) });
  static override readonly live = { anonymous: true };
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

/** Has itself called. */
export class Bell extends VirtualObject.withState(z.object({ rang: z.array(z.string()).default([]) })) {
  static override readonly type = "Bell";
  static override readonly methods = {
    set: method({ request: z.object({ name: z.string(), time: z.custom<ReminderTime>() }) }),
    forgetIt: method({ request: z.object({ name: z.string() }) }),
    ring: method({ internal: true }),
    rang: method({ readonly: true }),
  };

  set({ name, time }: { name: string; time: ReminderTime }) {
    return this.remind(name, time, "ring");
  }

  forgetIt({ name }: { name: string }) {
    return this.forget(name);
  }

  ring() {
    const { reminder } = this.context.caller;
    this.state.rang.push(`${reminder?.name} ${reminder?.due}`);
  }

  rang() {
    return this.state.rang;
  }
}

/** Tells clients what it is told. */
export class Crier extends VirtualObject {
  static override readonly type = "Crier";
  static override readonly methods = {
    cry: method({
      request: z.object({ lines: z.array(z.string()), to: z.string().optional(), fail: z.boolean().optional() }),
    }),
  };

  cry({ lines, to, fail }: { lines: string[]; to?: string | undefined; fail?: boolean | undefined }) {
    for (const line of lines) {
      if (to === undefined) this.publish(`square/${this.id}`, line);
      else this.push(to, line);
    }
    if (fail) this.fail("HOARSE", "it told nobody");
  }
}

const amount = z.number();

/** Tells the outside what is paid. */
export class Shop extends VirtualObject<{ paid: number }, typeof Shop.events> {
  static override readonly type = "Shop";
  static override readonly state = z.object({ paid: z.number().default(0) });
  static override readonly events = { "shop.paid": z.object({ amount }) };
  static override readonly methods = { pay: method({ request: z.object({ amount }) }) };

  pay({ amount }: { amount: number }) {
    this.state.paid += amount;
    return this.emit("shop.paid", { amount });
  }
}

/** What tells nothing to the outside. */
export const QUIET = [Counter, Wallet, ChatRoom, Journal, Slow, Bell, Crier] as const;

/** Who may do what: everybody, but for what is pushed to one alone. */
export const RULES = {
  access: OPEN,
  push: { topics: { "square/*": { anonymous: true, presence: true }, "mine/*": { owner: true } } },
  authenticate: (request) => {
    const [, id, brief] = /^Bearer user-(\w+)( briefly)?$/.exec(request.headers.get("authorization") ?? "") ?? [];
    if (id === undefined) return undefined;
    return { id, roles: [], ...(brief === undefined ? {} : { expiresAt: Date.now() + 1_000 }) };
  },
} satisfies Partial<HostOptions>;
