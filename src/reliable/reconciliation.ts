import { EdgeverseError, type WireError } from "../errors/edgeverse-error.ts";
import type { CallMessage, Reply } from "../object/message.ts";
import { type CallRecord, isFinal } from "./call-record.ts";
import { callerOfRow } from "./caller-of-row.ts";
import type { ReconcileReport } from "./maintenance-report.ts";
import { PatientAsker, type UpkeepParts } from "./owners.ts";
import type { CallLog, LoggedCall, PendingCall } from "./ports.ts";
import { UpkeepBudget } from "./upkeep-budget.ts";

/** Pending rows of one partition, oldest first. */
export interface Line {
  readonly partition: string;
  readonly rows: readonly PendingCall[];
}

/** Rows of one message. */
const CHUNK = 500;
/** Ms a driven call has to be accepted. */
const ACCEPT_WITHIN = 10_000;

/** One run over pending rows: what it may spend, whom it found silent, and what became of the rows. */
export class Reconciliation {
  readonly budget: UpkeepBudget;
  /** What is to be served next. */
  lines: Line[] = [];
  readonly #parts: UpkeepParts & { readonly log: CallLog };
  readonly #asker: PatientAsker;
  readonly #counts = { seen: 0, driven: 0, completed: 0, pending: 0, refused: 0, unreachable: 0, left: 0 };
  /** Rows that one partition has sent to another: they are asked for there once. */
  readonly #moved = new Set<PendingCall>();

  constructor(
    parts: UpkeepParts & { readonly log: CallLog },
    budget: { readonly messages: number; readonly time: number },
  ) {
    this.#parts = parts;
    this.budget = new UpkeepBudget(parts.clock, budget);
    this.#asker = new PatientAsker(parts);
  }

  /** Rows that the budget did not reach. */
  get left(): number {
    return this.#counts.left;
  }

  report(complete: boolean): ReconcileReport {
    return { ...this.#counts, silent: [...this.#asker.silent].sort(), complete };
  }

  seen(rows: number): void {
    this.#counts.seen += rows;
  }

  /** Settles the first rows of a line; the rest of it gets in line again. */
  async serve({ partition, rows }: Line): Promise<void> {
    const chunk = rows.slice(0, CHUNK);
    if (this.#asker.silent.has(partition)) return this.#unreachable(rows.length);
    if (!this.budget.take()) return this.#leave(rows.length);
    const keys = chunk.map(({ type, id, callId }) => ({ type, id, callId }));
    const answers = await this.#asker.ask(partition, (owner) => owner.callRecords(keys));
    if (answers === undefined || answers.length === 0) return this.#unreachable(rows.length);
    // As many as fit in a message.
    const rest = rows.slice(answers.length);
    if (rest.length > 0) this.lines.push({ partition, rows: rest });
    const unknown: PendingCall[] = [];
    const known: CallRecord[] = [];
    const elsewhere = new Map<string, PendingCall[]>();
    answers.forEach((answer, index) => {
      const row = chunk[index] as PendingCall;
      if (answer === null) unknown.push(row);
      else if (!("movedTo" in answer)) known.push(answer);
      else if (this.#moved.has(row)) this.#unreachable(1);
      else {
        this.#moved.add(row);
        elsewhere.set(answer.movedTo, [...(elsewhere.get(answer.movedTo) ?? []), row]);
      }
    });
    for (const [other, theirs] of elsewhere) this.lines.push({ partition: other, rows: theirs });
    await this.#complete(known);
    await this.#drive(partition, unknown);
  }

  /** Ends rows that can never run, so that they are not tried for ever. */
  async refuse(never: readonly (readonly [PendingCall, EdgeverseError])[]): Promise<void> {
    const errors = new Map(never.map(([row, error]) => [row.seq, error.toWire()]));
    await this.#inParts(
      never.map(([row]) => row),
      3,
      (calls) => this.#fail(calls.map((call) => [call, errors.get(call.seq) as WireError])),
    );
  }

  async #complete(known: readonly CallRecord[]): Promise<void> {
    const finished = known.filter(({ status }) => isFinal(status));
    this.#counts.pending += known.length - finished.length;
    if (finished.length === 0) return;
    if (!this.budget.take()) return this.#leave(finished.length);
    await this.#write(finished);
    this.#counts.completed += finished.length;
  }

  #drive(partition: string, unknown: readonly PendingCall[]): Promise<void> {
    return this.#inParts(unknown, 3, async (calls) => {
      const deadline = this.#parts.clock.now() + ACCEPT_WITHIN;
      const messages = calls.map((call) => messageOf(call, deadline));
      const replies = await this.#asker.ask(partition, (owner) => owner.batch(messages));
      if (replies === undefined) return this.#unreachable(calls.length);
      const never: [LoggedCall, WireError][] = [];
      replies.forEach((reply, index) => {
        if (reply.kind === "response" || reply.kind === "accepted") this.#counts.driven++;
        else if (isFinalRefusal(reply)) never.push([calls[index] as LoggedCall, reply.error]);
        // Too busy, or the object is elsewhere by now.
        else this.#unreachable(1);
      });
      await this.#fail(never);
    });
  }

  /** Reads whole calls, as many at a time as memory allows. @param cost subrequests of one part */
  async #inParts(
    rows: readonly PendingCall[],
    cost: number,
    action: (calls: readonly LoggedCall[]) => Promise<void>,
  ): Promise<void> {
    for (let rest = rows; rest.length > 0; ) {
      if (!this.budget.take(cost)) return this.#leave(rest.length);
      const calls = await this.#parts.log.read(rest.slice(0, CHUNK).map(({ seq }) => seq));
      const last = BigInt(calls.at(-1)?.seq ?? (rest[CHUNK - 1] ?? (rest.at(-1) as PendingCall)).seq);
      // Somebody else may have settled some of them since.
      const open = calls.filter(({ status }) => status === "pending");
      const read = rest.filter(({ seq }) => BigInt(seq) <= last).length;
      this.#counts.pending += read - open.length;
      rest = rest.slice(read);
      if (open.length > 0) await action(open);
    }
  }

  async #fail(never: readonly (readonly [LoggedCall, WireError])[]): Promise<void> {
    if (never.length === 0) return;
    const finishedAt = this.#parts.clock.now();
    await this.#write(never.map(([{ seq: _, ...call }, error]) => ({ ...call, status: "failed", error, finishedAt })));
    this.#counts.refused += never.length;
  }

  /** Writes outcomes. What Postgres refuses for what it holds stays pending there, and is seen again. */
  async #write(finished: readonly CallRecord[]): Promise<void> {
    try {
      await this.#parts.log.write(finished);
    } catch (error) {
      if (!(error instanceof EdgeverseError) || error.code !== "INVALID_ARGUMENT") throw error;
    }
  }

  #unreachable(rows: number): void {
    this.#counts.unreachable += rows;
  }

  #leave(rows: number): void {
    this.#counts.left += rows;
  }
}

function messageOf(call: LoggedCall, deadline: number): CallMessage {
  const { type, id, method, request, callId, expiresAt, seq } = call;
  return {
    type,
    id,
    method,
    ...(request === null ? {} : { request }),
    deadline,
    requestId: `reconcile ${seq}`,
    caller: callerOfRow(call.caller),
    reliable: { callId, answer: "accepted", log: "write-behind", ...(expiresAt === null ? {} : { expiresAt }) },
  };
}

function isFinalRefusal(reply: Reply): reply is Extract<Reply, { kind: "error" }> {
  return reply.kind === "error" && !reply.error.retryable;
}
