import { AsyncLocalStorage } from "node:async_hooks";
import { DatabaseSync } from "node:sqlite";
import { deserialize, serialize } from "node:v8";

const MIB = 1024 * 1024;

/** What Cloudflare allows. `docs/limits.md` names the source of each number, and what keeps Edgeverse inside it. */
export const PLATFORM = {
  databaseBytes: 10_000_000_000,
  messageBytes: 32 * MIB,
  /** Of one invocation, on the paid plan. */
  subrequests: 10_000,
  /** To anything but other Durable Objects, of one invocation. More wait for one that ends. */
  connections: 6,
  /** Times that an alarm is rung again whose handler fails. */
  alarmRetries: 6,
  /** SQLite's own, by the names of `node:sqlite`. `length` is of a value and of a row, `sqlLength` of a statement. */
  sqlite: {
    length: 2_000_000,
    sqlLength: 100_000,
    column: 100,
    exprDepth: 100,
    compoundSelect: 5,
    vdbeOp: 25_000,
    functionArg: 32,
    attach: 0,
    likePatternLength: 50,
    variableNumber: 100,
    triggerDepth: 10,
  },
} as const;

/**
 * Opens a database that refuses what the platform's refuses. SQLite itself checks; Node can tell it the limits from 24.15 on,
 * and opens one without limits before that.
 */
export function limitedDatabase(path = ":memory:"): DatabaseSync {
  return new DatabaseSync(path, { limits: PLATFORM.sqlite });
}

/** A statement that SQLite refused, with its code as the platform tells it: "string or blob too big: SQLITE_TOOBIG". */
export class SqliteError extends Error {
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(`${message}: ${code}`, options);
    this.code = code;
  }

  /** What `node:sqlite` threw, as the platform would have told it. */
  static from(error: unknown): unknown {
    if (!(error instanceof Error) || !("errcode" in error)) return error;
    const code = CODES[Number(error.errcode) & 0xff] ?? "SQLITE_ERROR";
    return new SqliteError(error.message, code, { cause: error });
  }
}

/** SQLite's primary codes of what a correct statement may meet. */
const CODES: Readonly<Record<number, string>> = {
  10: "SQLITE_IOERR",
  13: "SQLITE_FULL",
  18: "SQLITE_TOOBIG",
  19: "SQLITE_CONSTRAINT",
};

/**
 * A message as its receiver gets it: a copy, made by the serializer that the platform uses and measures.
 *
 * @throws Error when it is larger than a message may be, or can't be copied
 */
export function messageCopy<T>(value: T): T {
  const bytes = serialize(value);
  if (bytes.length <= PLATFORM.messageBytes) return deserialize(bytes) as T;
  throw new Error(
    `Serialized RPC arguments or return values are limited to 32MiB, but the size of this value was: ${bytes.length} bytes.`,
  );
}

/** What one request, alarm or cron trigger has used up. */
interface Invocation {
  subrequests: number;
}

const invocations = new AsyncLocalStorage<Invocation>();

/** Runs `action` and what follows from it as one invocation of a Worker or Durable Object. */
export function invocation<R>(action: () => R): R {
  return invocations.run({ subrequests: 0 }, action);
}

/**
 * Counts a message or query that the present invocation sends. What no invocation started counts for none.
 *
 * @throws Error when it was one too many
 */
export function subrequest(): void {
  const running = invocations.getStore();
  if (running !== undefined && ++running.subrequests > PLATFORM.subrequests) {
    throw new Error("Too many subrequests by single Worker invocation.");
  }
}

/** A client of something outside the platform: it has the platform's number of connections, and more calls wait for one. */
export function overConnections<Client extends object>(client: Client): Client {
  let free: number = PLATFORM.connections;
  const waiting: (() => void)[] = [];
  return new Proxy(client, {
    get: (_, name) => {
      const method: unknown = Reflect.get(client, name);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        subrequest();
        if (free > 0) free--;
        else await new Promise<void>((resolve) => waiting.push(resolve));
        try {
          return await Reflect.apply(method, client, args);
        } finally {
          const next = waiting.shift();
          if (next === undefined) free++;
          else next();
        }
      };
    },
  });
}
