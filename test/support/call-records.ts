import { randomUUID } from "node:crypto";
import fc from "fast-check";
import type { CallRecord } from "../../src/reliable/call-record.ts";

/** An object type no other test uses, so that tests can share one table. */
export function newType(): string {
  return `T${randomUUID().replaceAll("-", "")}`;
}

/** A successful call of a new id; `changes` make it another. */
export function callRecord(changes: Partial<CallRecord>): CallRecord {
  return {
    callId: randomUUID(),
    type: "Contract",
    id: "o1",
    shard: 1,
    method: "m",
    request: '{"n": 1}',
    requestHash: "00".repeat(32),
    status: "success",
    response: '"ok"',
    error: null,
    caller: null,
    traceId: null,
    attempts: 1,
    epoch: 1,
    acceptedAt: 1_790_000_000_001,
    finishedAt: 1_790_000_000_250,
    expiresAt: null,
    ...changes,
  };
}

const REFUSED = { code: "UNAVAILABLE", message: "refused", retryable: false } as const;

/** What the owners of one call wrote about it, in the order they did: attempts, parking, moves to newer epochs, maybe an end. */
export type CallHistory = CallRecord[];

export const callHistory: fc.Arbitrary<CallHistory> = fc
  .record({
    moves: fc.array(fc.record({ move: fc.boolean(), park: fc.boolean() }), { minLength: 1, maxLength: 5 }),
    ends: fc.boolean(),
    enqueued: fc.boolean(),
  })
  .map(({ moves, ends, enqueued }) => {
    const open = { status: "pending", response: null, finishedAt: null } as const;
    const steps: CallRecord[] = enqueued ? [callRecord({ ...open, epoch: 0, attempts: 0, requestHash: "" })] : [];
    let epoch = 1;
    moves.forEach(({ move, park }, attempts) => {
      if (move) epoch++;
      steps.push(callRecord({ ...open, epoch, attempts }));
      if (park) steps.push(callRecord({ ...open, status: "parked", error: REFUSED, epoch, attempts }));
    });
    if (ends) steps.push(callRecord({ epoch, attempts: moves.length }));
    return steps;
  });
