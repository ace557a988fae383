import type { Random } from "../random.ts";

/** When a listener says what it has read. */
export type Acks = "at once" | "late" | "seldom" | "never";

/** A client that listens, as a seed has it. */
export interface ListenerPlan {
  readonly gate: number;
  readonly topics: readonly string[];
  /** Numbers of rooms. */
  readonly watches: readonly number[];
  readonly acks: Acks;
}

/** Gates and their clients, as a seed has them. */
export interface PushSettings {
  readonly listeners: readonly ListenerPlan[];
  /** Whether gates keep few messages, so that there may be gaps. */
  readonly forgetful: boolean;
  /** Whether some messages are so large that few are on their way to a client at a time. */
  readonly large: boolean;
  readonly config: { readonly gates: number; readonly pushResume: string; readonly pushLog?: number };
}

/** The part of the seeds that have clients which listen: they have less of the rest. */
const SHARE = 0.25;
const PATTERNS: readonly (readonly string[])[] = [
  ["room/*"],
  ["room/*", "room/a"],
  ["room/a", "room/b", "room/c"],
  ["**"],
  ["room/a"],
  [],
];

/** @param authors whether it is a run of an author's workload: what its objects send has gates to go to, and nobody listens */
export function pushSettingsOf(random: Random, authors: boolean): PushSettings | undefined {
  if (authors) return { listeners: [], forgetful: false, large: false, config: { gates: 2, pushResume: "2m" } };
  if (!random.chance(SHARE)) return undefined;
  const gates = random.pick([1, 1, 2, 2, 3, 4]);
  const forgetful = random.chance(0.3);
  const large = random.fork("large").chance(0.15);
  const planned = Array.from({ length: 1 + random.int(4) }, () => ({
    gate: random.int(gates),
    topics: random.pick(PATTERNS),
    watches: [0, 1].filter(() => random.chance(0.5)),
    acks: random.pick<Acks>(["at once", "at once", "late", "seldom", "never"]),
  }));
  const pushResume = random.pick(["1s", "3s", "3s", "10s"]);
  const config = forgetful ? { gates, pushResume, pushLog: random.pick([2_000, 6_000]) } : { gates, pushResume };
  // One that reads nothing is soon sent nothing more.
  const listeners = planned.map(
    (plan, index): ListenerPlan => (large && index === 0 ? { ...plan, acks: "never" } : plan),
  );
  return { listeners, forgetful, large, config };
}
