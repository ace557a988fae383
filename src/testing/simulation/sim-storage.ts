import type { SqlRow, SqlStorage, SqlValue } from "../../platform/ports.ts";
import { limitedDatabase, PLATFORM, SqliteError } from "../platform-limits.ts";
import { Statements } from "../statements.ts";
import type { Random } from "./random.ts";
import type { SimTime } from "./sim-clock.ts";

/** A write that is visible but may not be durable yet: an open savepoint of the database. */
interface Commit {
  /** Number of the event that made it: writes of one event are durable together, or not at all. */
  readonly event: number;
  readonly durableAt: number;
  /** The alarm before it. */
  readonly alarm: number | null;
}

const WATCHED = ["shards", "pending", "marks"] as const;

/** A text with this in it can't be stored: what holds it fails by its nature, and whatever is in its transaction with it. */
export const POISON = "\u2620";

/** What may be wrong with a disk for a while: it has no room for more, or it takes no writes at all. */
export type DiskTrouble = "full" | "broken";

/** How a process keeps what is not durable from getting out. */
export type Durability = "barrier" | "gate";

/**
 * The disk of one machine: a database that outlives processes. Every write is a savepoint that stays open until it is
 * durable, so that a crash can return to any boundary between what was durable and what was last written. As on Cloudflare,
 * what one event writes, with no wait in between, becomes durable at once.
 */
export class SimDisk {
  readonly #database = limitedDatabase();
  readonly #statements = new Statements(this.#database);
  readonly #time: SimTime;
  readonly #random: Random;
  #commits: Commit[] = [];
  #within = false;
  #savedAlarm: number | null = null;
  alarm: number | null = null;
  /** Told when the alarm is another. */
  onAlarm: (() => void) | undefined;
  /** Told of statements that SQLite itself refuses: none should be. */
  onError: ((error: unknown) => void) | undefined;
  /** Of the tables that checks look at, those written since; whoever looks takes them out. */
  readonly written = new Set<(typeof WATCHED)[number]>();
  /** Makes the next transaction fail. */
  failNext = false;
  trouble: DiskTrouble | undefined;
  /** How likely a write takes long to be durable. */
  slowness = 0.04;
  /** Statements that were refused, by why. */
  readonly refused = { full: 0, broken: 0, poison: 0 };
  /** A transaction that makes the database larger than this fails with `SQLITE_FULL`; deletes go on. */
  maxSize: number = PLATFORM.databaseBytes;

  #commitsLeft = Number.POSITIVE_INFINITY;
  #onCommits = () => {};

  constructor(time: SimTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  /** When all that is written by now will be durable. */
  get durableAt(): number {
    return this.#commits.at(-1)?.durableAt ?? 0;
  }

  query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    const reads = /^\s*SELECT/i.test(sql);
    if (!reads) for (const table of WATCHED) if (sql.includes(table)) this.written.add(table);
    if (!reads) this.#checkTrouble(sql, params);
    const run = () => this.#all<Row>(sql, params);
    return reads || this.#within ? run() : this.transaction(run);
  }

  /** @throws SqliteError when the disk does not take the statement */
  #checkTrouble(sql: string, params: readonly SqlValue[]): void {
    // Every process says it when it starts, and changes nothing but the first time.
    if (/^\s*CREATE TABLE IF NOT EXISTS/i.test(sql)) return;
    if (params.some((param) => typeof param === "string" && param.includes(POISON))) {
      this.refused.poison++;
      throw new SqliteError("string or blob too big", "SQLITE_TOOBIG");
    }
    if (this.trouble === "broken") {
      this.refused.broken++;
      throw new SqliteError("disk I/O error", "SQLITE_IOERR");
    }
    if (this.trouble === "full" && !/^\s*DELETE/i.test(sql)) {
      this.refused.full++;
      throw new SqliteError("database or disk is full", "SQLITE_FULL");
    }
  }

  #all<Row extends SqlRow>(sql: string, params: SqlValue[]): Row[] {
    try {
      return this.#statements.all<Row>(sql, params);
    } catch (error) {
      this.onError?.(error);
      throw error;
    }
  }

  transaction<R>(action: () => R): R {
    if (this.#within) throw new Error("a transaction within a transaction");
    this.#settle();
    const name = `s${this.#commits.length}`;
    this.#database.exec(`SAVEPOINT ${name}`);
    this.#within = true;
    this.#savedAlarm = this.alarm;
    try {
      const before = this.#size();
      const result = action();
      const size = this.#size();
      if (size > this.maxSize && size > before) throw new SqliteError("database or disk is full", "SQLITE_FULL");
      if (this.failNext) {
        this.failNext = false;
        throw new SqliteError("disk I/O error", "SQLITE_IOERR");
      }
      this.#within = false;
      this.#committed(this.#savedAlarm);
      return result;
    } catch (error) {
      this.#within = false;
      this.#database.exec(`ROLLBACK TO ${name}; RELEASE ${name}`);
      this.alarm = this.#savedAlarm;
      this.onAlarm?.();
      throw error;
    }
  }

  wakeAt(time: number | null): void {
    const { failNext } = this;
    this.failNext = false;
    if (this.#within) this.alarm = time;
    else this.transaction(() => this.wakeAt(time));
    this.failNext = failNext;
    this.onAlarm?.();
  }

  /** Calls back right after it has taken so many commits more. */
  afterCommits(commits: number, callback: () => void): void {
    this.#commitsLeft = commits;
    this.#onCommits = callback;
  }

  /** The process has ended: what of its last writes is there is chance, from the last durable one on. */
  crash(): void {
    const durable = this.#commits.findIndex(({ durableAt }) => durableAt > this.#time.now);
    const least = durable < 0 ? this.#commits.length : durable;
    let kept = least + this.#random.int(this.#commits.length - least + 1);
    while (kept > least && this.#commits[kept - 1]?.event === this.#commits[kept]?.event) kept--;
    const lost = this.#commits[kept];
    if (lost !== undefined) {
      this.#database.exec(`ROLLBACK TO s${kept}; RELEASE s${kept}`);
      this.alarm = lost.alarm;
    }
    if (kept > 0) this.#database.exec("RELEASE s0");
    this.#commits = [];
    for (const table of WATCHED) this.written.add(table);
    this.failNext = false;
    this.onAlarm?.();
  }

  /** Nobody asks for the size of a disk that has room: it costs as much as a small write. */
  #size(): number {
    return this.maxSize < PLATFORM.databaseBytes ? this.#statements.size() : 0;
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #settle(): void {
    if (this.#commits.length === 0 || this.durableAt > this.#time.now) return;
    this.#database.exec("RELEASE s0");
    this.#commits = [];
  }

  #committed(alarm: number | null): void {
    if (this.#commitsLeft-- === 0) this.#onCommits();
    const { events: event, now } = this.#time;
    const last = this.#commits.at(-1);
    if (last?.event === event) {
      this.#commits.push({ ...last, alarm });
      return;
    }
    const delay = this.#random.chance(this.slowness) ? this.#random.between(10, 120) : this.#random.between(0.1, 2);
    this.#commits.push({ event, durableAt: Math.max(this.durableAt, now + delay), alarm });
  }
}

/** What a process that was ended, or replaced, meets when it touches the database. */
export class FencedError extends Error {
  constructor() {
    super("simulated: this process has ended");
  }
}

/** One process's access to its disk. Platform fencing: once another process has the disk, it throws. */
export class DiskHandle implements SqlStorage {
  readonly #disk: SimDisk;
  readonly #time: SimTime;
  readonly #durability: Durability;
  /** Runs what a barrier lets go on in the process. */
  readonly #run: (action: () => void) => void;
  #fenced = false;
  /** Whether writes of this process were not durable when it lost the disk. */
  #lost = false;

  constructor(disk: SimDisk, time: SimTime, durability: Durability, run: (action: () => void) => void) {
    this.#disk = disk;
    this.#time = time;
    this.#durability = durability;
    this.#run = run;
  }

  get fenced(): boolean {
    return this.#fenced;
  }

  /** When a message that is sent now may leave the process (Cloudflare's output gate): never if it may tell of lost writes. */
  get opensAt(): number {
    if (this.#durability !== "gate") return 0;
    return this.#lost ? Number.POSITIVE_INFINITY : this.#disk.durableAt;
  }

  /** Whether nothing waits in the process for what it wrote: the platform holds it back. */
  get isGate(): boolean {
    return this.#durability === "gate";
  }

  query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    this.#check();
    return this.#disk.query<Row>(sql, ...params);
  }

  transaction<R>(action: () => R): R {
    this.#check();
    return this.#disk.transaction(action);
  }

  barrier(): Promise<void> {
    if (this.#fenced) return Promise.reject(new FencedError());
    if (this.#durability === "gate" || this.#disk.durableAt <= this.#time.now) return Promise.resolve();
    return new Promise((resolve) => {
      this.#time.at(this.#disk.durableAt, () => this.#run(() => (this.#fenced ? undefined : resolve())));
    });
  }

  /** As on the platform, nobody is told at once that it has failed. */
  wakeAt(time: number | null): void {
    if (!this.#fenced) this.#disk.wakeAt(time);
  }

  /** Another process has the disk. What this one waits for it never learns: the writes may be there or not. */
  fence(): void {
    this.#lost ||= !this.#fenced && this.#disk.durableAt > this.#time.now;
    this.#fenced = true;
  }

  #check(): void {
    if (this.#fenced) throw new FencedError();
  }
}
