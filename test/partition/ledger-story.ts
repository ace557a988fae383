import { ManualClock, type MemoryCallLog, SqliteStorage, TestCluster } from "edgeverse/testing";
import { expect } from "vitest";
import type { Reply } from "../../src/object/message.ts";
import { IDS, Ledger, present, type Step } from "./ledger.ts";
import { Fence, SlowLog } from "./ledger-storage.ts";

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

export class Story {
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
    const clock = new ManualClock();
    present.clock = clock;
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
    const process = this.made.storages.get(this.made.router.owner({ type: "T", id: entry.id })) as Fence;
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
      deadline: present.clock.now() + 1_000,
      requestId: "d",
    } as const;
    void this.made.router.lifecycle({ ...message, caller: { kind: "worker" } }).then((reply) => {
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
        (this.inner.get(`p${step.partition}`) as SqliteStorage).failing = new Error("disk full");
        return;
      case "log":
        this.log.down = step.down;
        return;
      default:
        await present.clock.advance(step.ms);
    }
  }

  async end(): Promise<void> {
    for (const storage of this.inner.values()) storage.failing = undefined;
    this.log.down = false;
    for (const name of ["p0", "p1"]) (this.made.storages.get(name) as Fence).fuse = Number.POSITIVE_INFINITY;
    // Cycles of calls that nobody sees end only with the last attempt of one of them, minutes later.
    for (let round = 0; round < 4 || (round < 40 && this.#open() > 0); round++) {
      this.revive();
      await present.clock.advance(20_000);
      for (const name of ["p0", "p1"]) {
        const waking = this.made.partition(name).wake();
        await present.clock.advance(500);
        await waking;
      }
    }
  }

  /** Calls that have not ended, or that the log has not seen. */
  #open(): number {
    const counts = [...this.inner.values()].map((storage) => openIn(storage));
    return counts.reduce((all, count) => all + count, 0);
  }

  async check(): Promise<void> {
    const calls = new Map<string, { seq: number; status: string; response: string | null }>();
    for (const name of ["p0", "p1"]) {
      const storage = this.inner.get(name) as SqliteStorage;
      const core = await this.made.partition(name).core();
      expect({
        open: core.reliable.open,
        waiting: core.engine.waiting,
        pending: core.reliable.pending,
        sql: openIn(storage),
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
      await present.clock.advance(1_000);
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

/** Calls in a database that have not ended, or that the log has not seen. */
function openIn(storage: SqliteStorage): number {
  const sql = "SELECT (SELECT count(*) FROM pending) + (SELECT count(*) FROM backlog) AS n";
  return storage.query<{ n: number }>(sql)[0]?.n ?? 0;
}
