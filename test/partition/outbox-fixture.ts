import { type CallOutcome, callOutcome, method, VirtualObject } from "edgeverse";
import { type SqliteStorage, TestCluster } from "edgeverse/testing";
import { z } from "zod";

const note = z.object({ to: z.string(), text: z.string() });

/** Sends notes to others, and keeps what it gets. */
export class Desk extends VirtualObject.withState(
  z.object({
    got: z.array(z.string()).default([]),
    sent: z.number().default(0),
    outcomes: z.array(z.string()).default([]),
  }),
) {
  static override readonly type = "Desk";
  static override readonly methods = {
    send: method({ request: note.extend({ delay: z.number().optional(), expiresIn: z.number().optional() }) }),
    sendMany: method({
      request: z.object({ to: z.string(), texts: z.array(z.string()), delay: z.number().optional() }),
    }),
    sendAndThrow: method({ request: note }),
    sendAndHear: method({ request: note.extend({ expiresIn: z.number().optional() }) }),
    sendUnfit: method({ request: z.object({ to: z.string() }) }),
    sendLarge: method({ request: z.object({ to: z.string(), bytes: z.number(), times: z.number().default(1) }) }),
    peek: method({ readonly: true, request: note }),
    take: method({ request: z.object({ text: z.string() }) }),
    heard: method({ internal: true, request: callOutcome }),
    read: method({ readonly: true }),
  };

  send({
    to,
    text,
    delay,
    expiresIn,
  }: {
    to: string;
    text: string;
    delay?: number | undefined;
    expiresIn?: number | undefined;
  }) {
    this.state.sent++;
    return this.outbox(Desk, to, {
      ...(delay === undefined ? {} : { delay }),
      ...(expiresIn === undefined ? {} : { expiresIn }),
    }).take({ text });
  }

  sendMany({ to, texts, delay }: { to: string; texts: string[]; delay?: number | undefined }) {
    for (const text of texts) this.outbox(Desk, to, delay === undefined ? {} : { delay }).take({ text });
  }

  sendAndThrow({ to, text }: { to: string; text: string }) {
    this.outbox(Desk, to).take({ text });
    this.fail("NO", "changed its mind");
  }

  sendAndHear({ to, text, expiresIn }: { to: string; text: string; expiresIn?: number | undefined }) {
    const options = expiresIn === undefined ? {} : { expiresIn };
    return this.outbox(Desk, to, { onOutcome: "heard", ...options }).take({ text });
  }

  sendUnfit({ to }: { to: string }) {
    this.outbox(Desk, to).take({ text: 1 as unknown as string });
  }

  sendLarge({ to, bytes, times }: { to: string; bytes: number; times: number }) {
    for (let time = 0; time < times; time++) this.outbox(Desk, to).take({ text: "x".repeat(bytes) });
  }

  peek({ to, text }: { to: string; text: string }) {
    this.outbox(Desk, to).take({ text });
  }

  take({ text }: { text: string }) {
    if (text === "refuse") this.fail("REFUSED", "not this one", { text });
    if (text === "throw") throw new Error("a bug");
    const { caller } = this.context;
    this.state.got.push(`${caller.id ?? caller.kind}: ${text.slice(0, 20)}`);
    return { got: this.state.got.length };
  }

  heard(outcome: CallOutcome) {
    this.state.outcomes.push(
      outcome.status === "success"
        ? `success ${JSON.stringify(outcome.response)}`
        : `${outcome.status} ${outcome.error.reason ?? outcome.error.code}`,
    );
  }

  read() {
    return this.state;
  }
}

/** Numbers of `[Desk]` on each partition. */
export function desks(
  partitions = 1,
  config: Record<string, unknown> = {},
  storageOf?: (name: string) => SqliteStorage,
) {
  const cluster = new TestCluster({
    objects: [Desk],
    partitions,
    config: { shards: 64, ...config },
    ...(storageOf === undefined ? {} : { storageOf }),
  });
  const on = (partition: string, name: string) => {
    for (let index = 0; ; index++) {
      const id = `${name}${index}`;
      if (cluster.ownerOf(Desk, id) === partition) return id;
    }
  };
  const rows = () =>
    [...cluster.storages.entries()]
      .filter(([name]) => name !== "coordinator")
      .flatMap(([, storage]) =>
        storage.query<{ status: string }>("SELECT status FROM outbox").map(({ status }) => status),
      );
  /** Lets time pass until nothing is left to deliver. */
  const settled = async (ms = 120_000) => {
    for (let passed = 0; rows().some((status) => status === "waiting"); passed += 50) {
      if (passed > ms) throw new Error(`after ${ms} ms ${rows().length} messages are left`);
      await cluster.clock.advance(50);
    }
  };
  return { cluster, on, rows, settled };
}
