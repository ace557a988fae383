import { method, VirtualObject } from "edgeverse";
import { ManualClock, MemoryCallLog, SqliteStorage, TestCluster } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Reply } from "../../src/object/message.ts";
import type { SqlRow, SqlValue } from "../../src/platform/ports.ts";
import type { CallRecord } from "../../src/reliable/call-record.ts";

/**
 * Random stories over a small cluster, compared with what must be true of any of them: an effect is there exactly once when
 * its call was acknowledged (and nothing deleted it), at most once when it was not, never when it was refused; reliable calls
 * end, once, in order of acceptance; an object is there, created once, when something was written to it and not when it was
 * only read; counters return to where they began.
 */

/** One process's view of a partition's database. When the process dies, nothing of it gets in or out any more. */
class Fence extends SqliteStorage {
  readonly #inner: SqliteStorage;
  dead = false;
  /** Transactions until the process dies, right after one. */
  fuse = Number.POSITIVE_INFINITY;
  constructor(inner: SqliteStorage) {
    super();
    this.#inner = inner;
  }
  override query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    return this.dead ? [] : this.#inner.query<Row>(sql, ...params);
  }
  override transaction<R>(action: () => R): R {
    if (this.dead) return undefined as R;
    const result = this.#inner.transaction(action);
    this.dead = --this.fuse <= 0;
    return result;
  }
  override barrier(): Promise<void> {
    return this.dead
      ? new Promise(() => undefined)
      : Promise.resolve().then(() => (this.dead ? new Promise<void>(() => undefined) : undefined));
  }
  override wakeAt(): void {}
}

/** A log that takes its time, so that calls finish while their rows are on the way. */
class SlowLog extends MemoryCallLog {
  override async write(records: readonly CallRecord[]): Promise<void> {
    await sleep(40);
    await super.write(records);
  }
}

let clock: ManualClock;
let hooksTake = 0;
const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));

class Ledger extends VirtualObject<{ tokens: string[]; created: number }> {
  static override readonly type = "Ledger";
  static override readonly state = z.object({
    tokens: z.array(z.string()).default([]),
    created: z.number().default(0),
  });
  static override readonly timeout = "2s";
  static override readonly methods = {
    add: method({ request: z.object({ token: z.string() }) }),
    slow: method({ request: z.object({ token: z.string(), ms: z.number() }) }),
    refuse: method({ request: z.object({ token: z.string() }) }),
    forward: method({ request: z.object({ token: z.string(), to: z.string(), ms: z.number() }) }),
    list: method({ readonly: true }),
    slowList: method({ readonly: true, request: z.object({ ms: z.number() }) }),
  };
  protected override onCreate() {
    this.state.created++;
  }
  protected override async onActivate() {
    if (hooksTake > 0) await sleep(hooksTake);
  }
  protected override async onDeactivate() {
    if (hooksTake > 0) await sleep(hooksTake);
  }
  add({ token }: { token: string }) {
    this.state.tokens.push(token);
    this.store.put(token, this.state.tokens.length);
    return this.state.tokens.length;
  }
  async slow({ token, ms }: { token: string; ms: number }) {
    this.state.tokens.push(token);
    await sleep(ms);
    this.store.put(token, this.state.tokens.length);
    return this.state.tokens.length;
  }
  refuse({ token }: { token: string }) {
    this.state.tokens.push(token);
    this.store.put(token, -1);
    throw this.fail("NO", "no");
  }
  async forward({ token, to, ms }: { token: string; to: string; ms: number }) {
    if (ms > 0) await sleep(ms);
    await this.object(Ledger, to, { callId: `fwd-${token}` }).add({ token: `fwd-${token}` });
    return this.add({ token });
  }
  list() {
    return this.state.tokens;
  }
  async slowList({ ms }: { ms: number }) {
    await sleep(ms);
    return this.state.tokens;
  }
}

const IDS = ["a", "b", "c", "d"] as const;
const id = fc.constantFrom(...IDS);
const timeout = fc.constantFrom(5, 40, 300, 1_900);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("add" as const), id, reliable: fc.boolean(), timeout }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("slow" as const),
      id,
      reliable: fc.boolean(),
      timeout,
      ms: fc.constantFrom(1, 30, 200),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("refuse" as const), id, reliable: fc.boolean(), timeout }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("forward" as const),
      id,
      to: id,
      reliable: fc.boolean(),
      timeout,
      ms: fc.constantFrom(0, 20),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("again" as const), pick: fc.nat(20), timeout }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("read" as const), id, ms: fc.constantFrom(0, 30) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("crash" as const), partition: fc.nat(1), commits: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("failCommit" as const), partition: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("log" as const), down: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(0, 1, 10, 60, 700) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Sent {
  readonly token: string;
  readonly id: string;
  readonly reliable: boolean;
  readonly refused: boolean;
  readonly sentAt: number;
  resend?: () => Promise<Reply>;
  /** What came back, each time it was sent. */
  readonly replies: Reply[];
  /** Order of the first success. */
  ackedAt: number | undefined;
}

class Story {
  readonly inner = new Map<string, SqliteStorage>();
  readonly made: TestCluster;
  readonly log: MemoryCallLog;
  readonly sent: Sent[] = [];
  readonly deletes: { id: string; from: number; until: number }[] = [];
  readonly #cycles: boolean;
  #moment = 0;

  /** @param cycles objects may call one another in cycles */
  constructor(config: Record<string, string | number>, cycles: boolean) {
    this.#cycles = cycles;
    clock = new ManualClock();
    this.log = new SlowLog(clock);
    this.made = new TestCluster({ objects: [Ledger], partitions: 2, config, clock, log: this.log });
    for (const name of ["p0", "p1"]) {
      this.inner.set(name, new SqliteStorage());
      this.#reopen(name);
    }
  }

  #reopen(name: string): void {
    this.made.storages.set(name, new Fence(this.inner.get(name) as SqliteStorage));
  }

  crash(name: string): void {
    (this.made.storages.get(name) as Fence).dead = true;
    this.made.crash(name);
    this.#reopen(name);
    // This process may end under it as well.
    this.made
      .partition(name)
      .wake()
      .catch(() => undefined);
  }

  /** Starts again what died on its own. */
  revive(): void {
    for (const name of ["p0", "p1"]) if ((this.made.storages.get(name) as Fence).dead) this.crash(name);
  }

  send(name: string, step: { id: string; reliable: boolean; timeout: number }, rest: object): void {
    const token = `t${this.sent.length}`;
    const options = { timeout: step.timeout, ...(step.reliable ? { callId: token } : {}) };
    const resend = () => this.made.send("Ledger", step.id, name, { token, ...rest }, options);
    const entry: Sent = {
      token,
      id: step.id,
      reliable: step.reliable,
      refused: name === "refuse",
      sentAt: this.#moment++,
      resend,
      replies: [],
      ackedAt: undefined,
    };
    this.sent.push(entry);
    this.#note(entry, resend());
  }

  again(pick: number, limit: number): void {
    const known = this.sent.filter((entry) => entry.reliable);
    const entry = known[pick % Math.max(1, known.length)];
    if (entry?.resend !== undefined && limit > 0) this.#note(entry, entry.resend());
  }

  #note(entry: Sent, reply: Promise<Reply>): void {
    const process = this.made.storages.get(this.made.router.owner(entry.id)) as Fence;
    void reply.then((answer) => {
      // A process that is no more answers nobody.
      if (process.dead && answer.kind === "error") return;
      entry.replies.push(answer);
      if (answer.kind === "response") entry.ackedAt ??= this.#moment++;
    });
  }

  delete(of: string): void {
    const gone = { id: of, from: this.#moment++, until: Number.POSITIVE_INFINITY };
    this.deletes.push(gone);
    const message = {
      action: "delete",
      type: "Ledger",
      id: of,
      deadline: clock.now() + 1_000,
      requestId: "d",
    } as const;
    void this.made.router.lifecycle({ ...message, caller: { kind: "client" } }).then((reply) => {
      if (reply.kind === "response") gone.until = this.#moment++;
    });
  }

  async run(step: Step): Promise<void> {
    this.revive();
    switch (step.do) {
      case "add":
      case "refuse":
        this.send(step.do, step, {});
        return;
      case "slow":
        this.send("slow", step, { ms: step.ms });
        return;
      case "forward":
        if (step.to > step.id || this.#cycles) this.send("forward", step, { to: step.to, ms: step.ms });
        return;
      case "again":
        this.again(step.pick, step.timeout);
        return;
      case "read":
        if (step.ms === 0) void this.made.send("Ledger", step.id, "list");
        else void this.made.send("Ledger", step.id, "slowList", { ms: step.ms });
        return;
      case "delete":
        this.delete(step.id);
        return;
      case "crash":
        if (step.commits === 0) this.crash(`p${step.partition}`);
        else (this.made.storages.get(`p${step.partition}`) as Fence).fuse = step.commits;
        return;
      case "failCommit":
        (this.inner.get(`p${step.partition}`) as SqliteStorage).failNext = new Error("disk full");
        return;
      case "log":
        this.log.down = step.down;
        return;
      default:
        await clock.advance(step.ms);
    }
  }

  async end(): Promise<void> {
    for (const storage of this.inner.values()) storage.failNext = undefined;
    this.log.down = false;
    for (const name of ["p0", "p1"]) (this.made.storages.get(name) as Fence).fuse = Number.POSITIVE_INFINITY;
    // Cycles of calls that nobody sees end only with the last attempt of one of them, minutes later.
    for (let round = 0; round < 4 || (round < 40 && this.#open() > 0); round++) {
      this.revive();
      await clock.advance(20_000);
      for (const name of ["p0", "p1"]) {
        const waking = this.made.partition(name).wake();
        await clock.advance(500);
        await waking;
      }
    }
  }

  /** Calls that have not ended, or that the log has not seen. */
  #open(): number {
    const counts = [...this.inner.values()].map(
      (storage) => storage.query<{ n: number }>("SELECT count(*) AS n FROM calls WHERE open = 1")[0]?.n ?? 0,
    );
    return counts.reduce((all, count) => all + count, 0);
  }

  async check(): Promise<void> {
    const calls = new Map<string, { seq: number; status: string; response: string | null }>();
    for (const name of ["p0", "p1"]) {
      const storage = this.inner.get(name) as SqliteStorage;
      const core = await this.made.partition(name).core();
      const open = storage.query<{ n: number }>("SELECT count(*) AS n FROM calls WHERE open = 1")[0]?.n;
      expect({
        open: core.table.open,
        waiting: core.engine.waiting,
        pending: core.reliable.pending,
        sql: open,
      }).toEqual({
        open: 0,
        waiting: 0,
        pending: 0,
        sql: 0,
      });
      type Row = { id: string; call_id: string; seq: number; status: string; response: string | null };
      for (const row of storage.query<Row>("SELECT id, call_id, seq, status, response FROM calls")) {
        calls.set(`${row.id} ${row.call_id}`, row);
        expect(await this.log.find("Ledger", row.id, row.call_id), "the log holds it").toMatchObject({
          status: row.status,
        });
      }
    }
    for (const of of IDS) {
      const listed = this.made.send("Ledger", of, "list");
      await clock.advance(1_000);
      const reply = await listed;
      expect(reply.kind, JSON.stringify(reply)).toBe("response");
      const tokens = JSON.parse(reply.kind === "response" ? reply.response : "[]") as string[];
      this.#checkObject(of, tokens, calls);
      const objects = [...this.inner.values()].flatMap((storage) =>
        storage.query<{ state: string }>("SELECT state FROM objects WHERE id = ?", of),
      );
      const expected = tokens.length === 0 ? [] : [{ tokens, created: 1 }];
      expect(
        objects.map(({ state }) => JSON.parse(state)),
        "reading creates nothing, writing creates once",
      ).toEqual(expected);
      for (const name of ["p0", "p1"]) {
        const rows = (this.inner.get(name) as SqliteStorage).query<{ key: string }>(
          "SELECT key FROM rows WHERE id = ?",
          of,
        );
        if (rows.length > 0)
          expect(rows.map((row) => row.key).sort(), "rows and state commit together").toEqual([...tokens].sort());
      }
    }
  }

  #checkObject(
    of: string,
    tokens: string[],
    calls: ReadonlyMap<string, { seq: number; status: string; response: string | null }>,
  ): void {
    expect(new Set(tokens).size, `once each: ${tokens}`).toBe(tokens.length);
    const deletes = this.deletes.filter((gone) => gone.id === of);
    for (const entry of this.sent.filter((sent) => sent.id === of)) {
      const there = tokens.includes(entry.token);
      const call = calls.get(`${of} ${entry.token}`);
      const acked = entry.ackedAt !== undefined;
      const maybeDeleted = deletes.some((gone) => gone.until > entry.sentAt);
      const surelyDeleted = deletes.some(
        (gone) => acked && gone.from > (entry.ackedAt as number) && gone.until < Number.POSITIVE_INFINITY,
      );
      const about = `${entry.token} of ${of}: ${JSON.stringify(entry.replies)}, ${call?.status}, tokens ${tokens}`;
      if (entry.refused) expect(there, about).toBe(false);
      if (acked && !maybeDeleted) expect(there, about).toBe(true);
      if (surelyDeleted) expect(there, about).toBe(false);
      if (entry.reliable) {
        // A caller that was told anything but a refusal finds the call done in the end.
        if (acked) expect(call?.status, about).toBe("success");
        if (call?.status === "success" && !maybeDeleted) expect(there, about).toBe(true);
        if (call === undefined || call.status === "failed") expect(there, about).toBe(false);
        const told = new Set(entry.replies.flatMap((reply) => (reply.kind === "response" ? [reply.response] : [])));
        expect(told.size, about).toBeLessThanOrEqual(1);
        for (const response of told) expect(response).toBe(call?.response);
        const pending = entry.replies.some(
          (reply) => reply.kind === "error" && JSON.stringify(reply.error.details)?.includes("pending"),
        );
        if (pending) expect(call, about).toBeDefined();
      } else if (entry.replies.some((reply) => reply.kind === "error" && reply.error.code === "DEADLINE_EXCEEDED")) {
        expect(there, about).toBe(false);
      }
    }
    const order = tokens.map((token) => calls.get(`${of} ${token}`)).filter((call) => call !== undefined);
    expect(
      order.map((call) => call.seq),
      "in order of acceptance",
    ).toEqual(order.map((call) => call.seq).sort((x, y) => x - y));
  }
}

async function tell(steps: readonly Step[], config: Record<string, string | number>, cycles = false): Promise<void> {
  const story = new Story(config, cycles);
  for (const name of ["p0", "p1"]) await story.made.partition(name).core();
  for (const next of steps) await story.run(next);
  await story.end();
  await story.check();
}

const story = fc.array(step, { minLength: 5, maxLength: 30 });

const limits = { numRuns: 400, interruptAfterTimeLimit: 6_000, endOnFailure: true };

describe("the model", () => {
  test("[TURN2] [TURN3] [TURN6] [CALL1] [CALL2] [CALL4] [CALL5] any story keeps its promises", async () => {
    hooksTake = 0;
    await fc.assert(
      fc.asyncProperty(story, (steps) => tell(steps, {})),
      limits,
    );
  });

  test("[LIFE2] [TURN1] [TURN6] also with little memory and hooks that take time", async () => {
    hooksTake = 25;
    await fc.assert(
      fc.asyncProperty(story, (steps) => tell(steps, { maxObjects: 1, idleTimeout: "300ms" })),
      limits,
    );
  });

  test("[TURN7] [CALL2] also when objects call one another in cycles", async () => {
    hooksTake = 0;
    await fc.assert(
      fc.asyncProperty(story, (steps) => tell(steps, {}, true)),
      limits,
    );
  });
});
