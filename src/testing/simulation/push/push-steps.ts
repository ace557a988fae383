import type { AmbushDeed } from "../ambush.ts";
import type { Random } from "../random.ts";
import type { Settings } from "../settings.ts";
import type { Addressee, GateDeed, ListenerDeed, PushStep } from "./push-step.ts";

type Timed = PushStep & { readonly at: number };

const LISTENERS: Readonly<Record<ListenerDeed, number>> = { cut: 8, leave: 1, quit: 1, cancel: 3 };

const GATES: Readonly<Record<GateDeed, number>> = {
  crash: 4,
  hibernate: 6,
  usurp: 1,
  "crash at commit": 4,
  "write fails": 2,
  freeze: 1,
  cut: 2,
  disk: 0.5,
};

const AMBUSHED: readonly string[] = ["deliver", "deliver", "live", "watch", "batchSoon"];

const AMBUSHES: Readonly<Record<Exclude<AmbushDeed, "twice">, number>> = {
  lost: 1,
  "answer lost": 3,
  late: 2,
  "sender ends": 2,
  "receiver ends": 3,
  "receiver replaced": 0.5,
  "answered, then ends": 2,
};

/** What a seed does with gates and those who listen. */
export function pushSteps(random: Random, settings: Settings): Timed[] {
  const { push, duration } = settings;
  if (push === undefined || push.listeners.length === 0) return [];
  const at = () => random.between(0, duration);
  const many = (most: number, make: () => Timed) => Array.from({ length: random.int(most) }, make);
  const [listeners, gates] = [some(random, LISTENERS), some(random, GATES)];
  const listener = () => random.int(push.listeners.length);
  const says = Array.from({ length: 8 + random.int(20) }, () => ({ at: at(), ...say(random, settings) }));
  const trouble = random.chance(0.85) ? 1 : 0;
  return [
    ...says,
    ...many(12 * trouble, () => ({
      at: at(),
      kind: "listener",
      listener: listener(),
      deed: random.weighted(listeners),
    })),
    ...many(10 * trouble, () => {
      const [gate, n, ms] = [random.int(push.config.gates), random.int(6), random.pick([20, 200, 1_000])];
      return { at: at(), kind: "gate", gate, deed: random.weighted(gates), n, ms };
    }),
    ...many(6 * trouble, () => {
      const [method, spares] = [random.pick(AMBUSHED), random.pick([0, 0, 1, 3])];
      return { at: at(), kind: "gate ambush", ambush: { method, deed: random.weighted(AMBUSHES), spares } };
    }),
  ];
}

/** Few seeds have all kinds of trouble. */
function some<Kind extends string>(random: Random, weights: Readonly<Record<Kind, number>>): Record<Kind, number> {
  const left: Record<Kind, number> = { ...weights };
  for (const kind of Object.keys(weights) as Kind[]) if (random.chance(0.4)) left[kind] = 0;
  return Object.values(left).every((weight) => weight === 0) ? { ...weights } : left;
}

function say(random: Random, { objects, push }: Settings): PushStep {
  const listeners = push?.listeners.length ?? 0;
  const addressee = (): Addressee =>
    random.pick(["topic", "topic", "topic", "all", random.int(listeners)] satisfies Addressee[]);
  return {
    kind: "say",
    object: random.pick(objects.slice(0, 3)),
    to: Array.from({ length: random.pick([1, 1, 2, 4]) }, addressee),
    size: random.pick(push?.large === true ? [10, 30_000, 30_000] : [0, 10, 400]),
    ms: random.pick([0, 0, 1, 20, 150]),
    fails: random.chance(0.1),
    reliable: random.chance(0.6),
    timeout: random.pick([100, 1_000, 3_000]),
    via: random.chance(0.5) ? { edge: random.int(2) } : { listener: random.int(listeners) },
  };
}
