import type { ShardState } from "../../placement/shard-state.ts";
import type { Attempt, CoordinatorState, Message, MoveModelState, Order, PartitionState } from "./move-model-state.ts";
import { PartNumbers } from "./part-numbers.ts";

type Rename = (name: string) => string;

const same: Rename = (name) => name;
const SWAPPED: Readonly<Record<string, string>> = { B: "C", C: "B", b: "c", c: "b" };
const swapped: Rename = (name) => SWAPPED[name] ?? name;

/** A state on one line. */
export function stateText({ partitions, coordinator, attempts, acked, late }: MoveModelState): string {
  const calls = `calls ${attemptsText(attempts, same)}${acked === "" ? "" : ` answered ${acked}`}`;
  const places = partitions.map((each, index) => `${"ABC"[index]} ${partitionText(each, same)}`);
  return [...places, `map ${coordinatorText(coordinator, same)}`, calls, lateText(late, same)].join(" | ");
}

/**
 * Keys of states: a few characters, each the number of a part that was seen before.
 *
 * @param symmetric B and C are alike: neither is the first owner, so a state and the one with both exchanged have one key
 */
export function moveModelKey(symmetric: boolean): (state: MoveModelState) => string {
  const numbers = new PartNumbers();
  const straight = coder(numbers, same);
  if (!symmetric) return (state) => keyWith(straight, state, [0, 1]);
  const crossed = coder(numbers, swapped);
  return (state) => {
    const [, second, third] = state.partitions as [PartitionState, PartitionState, PartitionState];
    const order = straight.partitions[1](second) - crossed.partitions[1](third);
    if (order < 0) return keyWith(straight, state, [0, 1, 2]);
    if (order > 0) return keyWith(crossed, state, [0, 2, 1]);
    const [one, other] = [keyWith(straight, state, [0, 1, 2]), keyWith(crossed, state, [0, 2, 1])];
    return [one, other].sort()[0] as string;
  };
}

type Coder = ReturnType<typeof coder>;

function coder(numbers: PartNumbers, rename: Rename) {
  const remembered = <T extends object>(text: (part: T, rename: Rename) => string) =>
    numbers.remembered((part: T) => text(part, rename));
  return {
    partitions: [remembered(partitionText), remembered(partitionText), remembered(partitionText)] as const,
    coordinator: remembered(coordinatorText),
    attempts: remembered(attemptsText),
    late: remembered(lateText),
    rest: ({ acked, crashes, last }: MoveModelState) =>
      numbers.of(`${acked};${crashes};${rename(last.at)}${last.epoch}`),
  };
}

function keyWith(code: Coder, state: MoveModelState, order: readonly number[]): string {
  const [first, second, third] = order as [number, number, number?];
  const { partitions } = state;
  return String.fromCharCode(
    code.partitions[0](partitions[first] as PartitionState),
    code.partitions[1](partitions[second] as PartitionState),
    third === undefined ? 0 : code.partitions[2](partitions[third] as PartitionState),
    code.coordinator(state.coordinator),
    code.attempts(state.attempts),
    code.late(state.late),
    code.rest(state),
  );
}

function partitionText({ record, rows, cursor, drive, ajar, hidden }: PartitionState, rename: Rename): string {
  const known = record === undefined ? "new" : `${shardText(record.state, rename)} seen ${record.seen}`;
  const copied = cursor === null ? "" : ` copied to ${cursor}`;
  const volatile = `${drive === 0 ? "" : ` drive ${drive}`}${ajar === "" ? "" : ` ajar ${ajar}`}`;
  return `${known} "${rows}"${copied}${volatile}${hidden === "" ? "" : ` hidden ${hidden}`}`;
}

function shardText(state: ShardState, rename: Rename): string {
  if (state.kind === "owned") return `owned e${state.epoch}`;
  const peer = state.kind === "leaving" || state.kind === "gone" ? state.to : state.from;
  return `${state.kind} e${state.epoch} m${state.move} ${rename(peer)}`;
}

/** Reasons are left out: nothing depends on them. */
function coordinatorText({ owner, epoch, ids, move }: CoordinatorState, rename: Rename): string {
  const driven = move === null ? "" : ` ${orderText(move.order, rename)} ${move.state.phase} e${move.state.epoch}`;
  return `${rename(owner)} e${epoch} m${ids}${driven}`;
}

function attemptsText(attempts: readonly Attempt[], rename: Rename): string {
  return attempts
    .map(({ call, at }) => call + rename(at))
    .sort()
    .join(" ");
}

function lateText(late: readonly Message[], rename: Rename): string {
  return late
    .map((each) => messageText(each, rename))
    .sort()
    .join(", ");
}

function orderText({ id, from, to }: Order, rename: Rename): string {
  return `m${id} ${rename(from)}→${rename(to)}`;
}

export function messageText(message: Message, rename: Rename = same): string {
  const text = `${message.kind} ${orderText(message.order, rename)}`;
  if (message.kind === "drop") return `${text} e${message.epoch}`;
  if (message.kind !== "chunk") return text;
  const { epoch, from, to, rows, final } = message.chunk;
  return `${text} e${epoch} ${from ?? "start"}..${to} ${rows ?? "empty"}${final === null ? "" : ` final ${final}`}`;
}
