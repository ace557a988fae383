import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Clock } from "../platform/ports.ts";
import type { CallRecord } from "./call-record.ts";
import type { CallLog } from "./ports.ts";

interface Waiter {
  readonly record: CallRecord;
  resolve(): void;
  reject(error: EdgeverseError): void;
}

const MAX_BATCH = 500;
const MAX_WAITING = 5_000;
/** After a failure, calls are refused at once for this long before the log is tried again. */
const REST = 1_000;

/**
 * Writes single records to the log and waits for them: the `write-ahead` policy ([CALL6]). Records that arrive while a statement
 * is under way share the next one.
 */
export class LogGate {
  readonly #log: CallLog;
  readonly #clock: Clock;
  readonly #ahead: () => Promise<void>;
  #waiting: Waiter[] = [];
  #writing = false;
  #closedUntil = 0;

  /** @param ahead is awaited before a statement that writes calls nobody has accepted */
  constructor(log: CallLog, clock: Clock, ahead: () => Promise<void>) {
    this.#log = log;
    this.#clock = clock;
    this.#ahead = ahead;
  }

  /** Resolves when the log holds `record`. @throws EdgeverseError `LOG_UNAVAILABLE` */
  write(record: CallRecord): Promise<void> {
    if (this.#clock.now() < this.#closedUntil) return Promise.reject(unavailable("it failed a moment ago"));
    if (this.#waiting.length >= MAX_WAITING) return Promise.reject(unavailable("too many calls wait for it"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      if (!this.#writing) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      try {
        if (batch.some(({ record }) => record.status === "pending")) await this.#ahead();
        await this.#log.write(latestOfEach(batch));
        for (const waiter of batch) waiter.resolve();
      } catch (error) {
        if (this.#refused(batch, error)) continue;
        this.#closedUntil = this.#clock.now() + REST;
        const away = unavailable("it does not answer");
        for (const waiter of batch.concat(this.#waiting.splice(0))) waiter.reject(away);
      }
    }
    this.#writing = false;
  }

  /** Tells apart the records that the log will never take from those of their batch that it took. */
  #refused(batch: readonly Waiter[], error: unknown): boolean {
    if (!(error instanceof EdgeverseError) || error.code !== "INVALID_ARGUMENT") return false;
    const { refused = [] } = (error.details ?? {}) as { refused?: { type: string; id: string; callId: string }[] };
    const keys = new Set(refused.map(keyOf));
    for (const waiter of batch) {
      if (keys.has(keyOf(waiter.record))) waiter.reject(error);
      else waiter.resolve();
    }
    return true;
  }
}

function keyOf({ type, id, callId }: { type: string; id: string; callId: string }): string {
  return `${type}/${id}\n${callId}`;
}

/** A call may be in a batch twice, pending and finished: a statement can write a row only once. */
function latestOfEach(batch: readonly Waiter[]): CallRecord[] {
  const latest = new Map<string, CallRecord>();
  for (const { record } of batch) latest.set(keyOf(record), record);
  return [...latest.values()];
}

function unavailable(why: string): EdgeverseError {
  return new EdgeverseError("LOG_UNAVAILABLE", `The log of reliable calls is unavailable: ${why}`, { retryAfter: 1 });
}
