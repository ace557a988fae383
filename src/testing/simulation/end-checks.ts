import { isDeepStrictEqual } from "node:util";
import { positionOf } from "../../identity/hash-order.ts";
import type { Partition } from "../../partition/partition.ts";
import type { CallSpans } from "./call-spans.ts";
import { type Clients, describe } from "./clients.ts";
import { checkEvents } from "./event-checks.ts";
import type { History } from "./history.ts";
import { checkIndexes } from "./index-checks.ts";
import { explainHistory } from "./linearizability.ts";
import { checkSettled } from "./move-checks.ts";
import { type Mark, markKey, operationsOf } from "./object-operations.ts";
import type { Operations } from "./operations.ts";
import { checkOutbox } from "./outbox-checks.ts";
import { shardsOf } from "./owner-checks.ts";
import { checkPoison } from "./poison-checks.ts";
import { checkReminders } from "./reminder-checks.ts";
import type { Machine } from "./sim-machine.ts";
import { unfinished } from "./unfinished.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

interface Parts {
  readonly world: World;
  readonly history: History;
  readonly clients: Clients;
  readonly operations: Operations;
  readonly spans: CallSpans;
  /** Whether nothing is under way. */
  readonly quiet: () => Promise<boolean>;
  /** Lets ms pass. */
  readonly run: (ms: number) => Promise<void>;
}

/** Ms that moves which began late have at a time, and how often. */
const SETTLE = 2_000;
const SETTLING = 10;

/** After the end of all trouble: what was promised of the whole story. Says how many moves there were. */
export async function checkEnd(parts: Parts): Promise<number> {
  const { world, history, clients, spans, run } = parts;
  const moves = await checkMoves(parts);
  for (const { index, token, deed, replies, copies } of history.sent) {
    if (replies.length < copies) throw new Violation(`call ${index} (${token} ${deed}) was never answered`);
  }
  const marks = checkMarks(world, history);
  checkPoison(world, history);
  await checkLog(world, marks);
  const operations = operationsOf(history.sent, marks);
  const ledgers = new Map<string, readonly string[]>();
  for (const object of world.settings.objects) {
    const listing = clients.list(object);
    let answer: Awaited<typeof listing> | undefined;
    void listing.then((reply) => {
      answer = reply;
    });
    await run(21_000);
    if (answer?.kind !== "response") {
      throw new Violation(
        `object ${object} does not answer at the end: ${answer === undefined ? "" : describe(answer)}`,
      );
    }
    const { tokens } = JSON.parse(answer.response) as { tokens: string[] };
    ledgers.set(object, tokens);
    checkOrder(object, tokens, marks, spans);
    const invoked = history.moment();
    const last = { name: "last list", kind: "list", invoked, returned: history.moment(), required: true } as const;
    const trouble = explainHistory([...(operations.get(object) ?? []), { ...last, seen: tokens }]);
    if (trouble !== undefined) throw new Violation(`[TURN2] object ${object}: ${trouble}`);
  }
  checkOutbox(history, ledgers, parts.operations.unparked);
  checkReminders(history, ledgers);
  checkIndexes(world);
  checkEvents(history, ledgers, world.sinks);
  await checkQueues(world);
  return moves;
}

async function checkMoves({ world, operations, quiet, run }: Parts): Promise<number> {
  let moves: Awaited<ReturnType<typeof operations.coordinator.moves>> | undefined;
  void operations.coordinator.moves({ limit: 500 }).then((answer) => {
    moves = answer;
  });
  await run(2_000);
  if (moves === undefined) throw new Violation("the coordinator does not answer at the end");
  // The cluster may have gone on to balance itself while it was asked.
  for (let round = 0; round < SETTLING && !(await quiet()); round++) await run(SETTLE);
  const undone = unfinished(world.coordinator.disk);
  if (undone !== undefined) throw new Violation(`[MIG6] [SPLIT1] it does not end: ${undone}`);
  checkSettled(world);
  return moves.length;
}

/** Every call has ended, or is parked for a reason, and is known in one place only: where its object is served. */
function checkMarks(world: World, { sent }: History): Map<string, Mark> {
  const marks = new Map<string, Mark>();
  const poison = new Set(sent.filter(({ deed }) => deed === "poison").map(({ token }) => token));
  for (const machine of world.partitions) {
    const shards = shardsOf(machine.disk);
    if (shards === undefined) continue;
    for (const { name, rows } of strays(machine, shards.count)) {
      throw new Violation(`[MIG3] ${machine.name} has ${rows} in ${name} of a shard it does not serve`);
    }
    const [waiting] = machine.disk.query<{ list: string }>("SELECT list FROM backlog LIMIT 1");
    if (waiting !== undefined)
      throw new Violation(`[CALL5] at ${machine.name}, this does not reach the log: ${waiting.list}`);
    const [left] = machine.disk.query<{ call_id: string; status: string }>(
      "SELECT call_id, status FROM outbox LIMIT 1",
    );
    if (left !== undefined)
      throw new Violation(`[CALL7] message ${left.call_id} at ${machine.name} is ${left.status} for ever`);
    const [sleeping] = machine.disk.query<{ name: string; error: string | null }>(
      "SELECT name, error FROM reminders LIMIT 1",
    );
    if (sleeping !== undefined)
      throw new Violation(`[TIME1] reminder ${sleeping.name} at ${machine.name} does not call: ${sleeping.error}`);
    type Row = { type: string; id: string; call_id: string; seq: number; status: string; response: string | null };
    const rows = machine.disk.query<Row>("SELECT type, id, call_id, seq, status, response FROM calls");
    for (const { type, id, call_id: callId, seq, status, response } of rows) {
      const about = `call ${callId} of ${id} at ${machine.name}`;
      if (status === "pending" || (status === "parked" && !poison.has(callId)))
        throw new Violation(`[CALL2] ${about} is ${status} and does not end`);
      marks.set(markKey(id, callId, type), { id, callId, seq, status, response });
    }
  }
  return marks;
}

/** Rows of shards that the partition does not serve. */
function* strays({ disk }: Machine, count: number): Generator<{ name: string; rows: string }> {
  const owned = new Set(
    disk
      .query<{ shard: number }>("SELECT shard FROM shards WHERE state IN ('owned', 'leaving')")
      .map(({ shard }) => shard),
  );
  for (const name of ["objects", "rows", "pending", "marks", "outbox", "reminders", "events"]) {
    const rows = disk.query<{ position: number; id: string }>(`SELECT position, id FROM ${name}`);
    const stray = rows.filter(({ position }) => !owned.has(positionOf(position) % count));
    if (stray.length > 0) yield { name, rows: stray.map(({ id }) => id).join(", ") };
  }
}

/** The log tells the same of every call ([CALL5], [CALL11]). */
async function checkLog(world: World, marks: ReadonlyMap<string, Mark>): Promise<void> {
  if (!world.settings.withLog) return;
  const { calls } = await world.log.list({ limit: 1_000 });
  const logged = new Map(calls.map((call) => [markKey(call.id, call.callId, call.type), call]));
  for (const [key, mark] of marks) {
    const row = logged.get(key);
    if (row === undefined) throw new Violation(`[CALL5] the log does not know call ${key}`);
    // As values: jsonb keeps members in an order of its own.
    const [logs, owners] = [row.response, mark.response].map((text) => (text === null ? null : JSON.parse(text)));
    if (row.status !== mark.status || !isDeepStrictEqual(logs, owners)) {
      throw new Violation(
        `[CALL5] call ${key} is ${mark.status} ${mark.response}, the log says ${row.status} ${row.response} (epoch ${row.epoch})`,
      );
    }
  }
  for (const [key, row] of logged) {
    if (row.status === "pending") throw new Violation(`[CALL10] call ${key} is pending in the log for ever`);
    if (!marks.has(key) && row.status === "success")
      throw new Violation(`the log knows of call ${key}, its owner does not`);
  }
}

/** Reliable calls of an object ran in order of acceptance ([CALL4]), and every token is there once ([CALL1]). */
function checkOrder(
  object: string,
  tokens: readonly string[],
  marks: ReadonlyMap<string, Mark>,
  spans: CallSpans,
): void {
  let last: Mark | undefined;
  for (const token of tokens) {
    const mark = marks.get(markKey(object, token));
    if (mark === undefined) continue;
    if (last !== undefined && mark.seq < last.seq && !spans.apart(last, mark)) {
      throw new Violation(`[CALL4] ${mark.callId} of ${object} was accepted before ${last.callId} and ran after it`);
    }
    last = mark;
  }
  const once = tokens.filter((token) => marks.has(markKey(object, token)));
  if (new Set(once).size < once.length)
    throw new Violation(`[CALL1] a reliable call of ${object} ran twice: ${tokens}`);
}

/** Nothing is left in any queue. */
async function checkQueues(world: World): Promise<void> {
  for (const machine of world.partitions) {
    if (machine.process?.alive !== true || shardsOf(machine.disk) === undefined) continue;
    const partition = (machine.process.service["partition"] as () => Partition)();
    const core = await partition.core();
    const left = {
      turns: core.engine.waiting,
      gate: core.gate.waiting,
      calls: core.reliable.pending,
      open: core.reliable.open,
      sendings: core.work.outbox.pending,
      events: core.work.events.pending,
      memory: core.memory.held,
    };
    if (Object.values(left).some((count) => count !== 0)) {
      throw new Violation(`${machine.name} has something left in its queues: ${JSON.stringify(left)}`);
    }
  }
}
