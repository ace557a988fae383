import { type Ambush, ambushOf } from "./ambush.ts";
import type { PushStep } from "./push/push-step.ts";
import { pushSteps } from "./push/push-steps.ts";
import type { Random } from "./random.ts";
import type { Focus, Settings } from "./settings.ts";
import type { CallStep, Deed, Step } from "./step.ts";

export type Operation = Exclude<Step["kind"], "call" | "again" | "author" | "deploy" | PushStep["kind"]>;

const OPERATIONS: Readonly<Record<Operation, number>> = {
  crash: 6,
  "crash at commit": 6,
  ambush: 12,
  usurp: 2,
  "crash coordinator": 3,
  freeze: 3,
  cut: 3,
  "log away": 1,
  "log slow": 1,
  "write fails": 2,
  "disk full": 1.5,
  "disk broken": 1,
  "forget map": 1,
  cron: 1,
  move: 12,
  add: 2,
  cordon: 0.5,
  drain: 2,
  uncordon: 1,
  remove: 1,
  pin: 1,
  unpin: 1,
  rebalance: 1,
  "shard count": 3,
  cancel: 3,
};

/** Weights of the operations that a focus changes. */
const FOCUS: Readonly<Record<Focus, Partial<Record<Operation, number>>>> = {
  all: {},
  moves: {
    ambush: 30,
    "crash coordinator": 5,
    cancel: 8,
    cut: 5,
    "disk full": 0,
    "disk broken": 0,
    cron: 0.2,
    add: 0.5,
    drain: 4,
    uncordon: 4,
  },
  disks: { move: 4, ambush: 4, "crash at commit": 12, "write fails": 8, "disk full": 5, "disk broken": 4 },
};

const DEEDS: Readonly<Record<Deed, number>> = {
  add: 8,
  addNow: 8,
  logged: 1,
  refuse: 1,
  poison: 0.4,
  forward: 2,
  ask: 1,
  send: 0,
  remindMe: 0,
  emitNow: 0,
  list: 5,
  delete: 0.5,
};

/** Where shards move much: what has another object in it, and what leaves no row behind. */
const MOVED_DEEDS: Readonly<Record<Deed, number>> = { ...DEEDS, forward: 6, ask: 3, delete: 2, poison: 0 };

/** Deeds that now and then are a call through the outbox, or by a reminder, or emit events, instead. */
const MAY_SEND: ReadonlySet<Deed> = new Set(["add", "addNow", "forward", "ask"]);

/** Deeds of which there are no reliable calls. */
const PLAIN: ReadonlySet<Deed> = new Set(["list", "delete"]);

/** Everything that happens under a seed, in order of time. */
export function stepsOf(random: Random, settings: Settings, authorCalls = 0): Step[] {
  const steps: Step[] = [];
  // Troubles of a kind come together: few seeds have all of them.
  const weights = { ...OPERATIONS, ...FOCUS[settings.focus] };
  for (const kind of Object.keys(weights) as Operation[]) if (random.chance(0.4)) weights[kind] = 0;
  if (settings.focus === "moves") weights.move = 20;
  if (Object.values(weights).every((weight) => weight === 0)) weights.move = 1;
  for (let n = 0; n < settings.calls; n++) {
    const step = callStep(random, settings);
    steps.push(step);
    if (step.kind === "call" && step.deed === "poison") steps.push(...company(random, settings, step));
  }
  for (let n = 0; n < settings.operations; n++) {
    const step = operation(random, settings, random.weighted(weights), random.between(0, settings.duration));
    steps.push(step);
    // Two shards that are handed off at the same time may wait for each other.
    if (step.kind === "move" && random.chance(0.3)) steps.push({ ...step, object: random.pick(settings.objects) });
  }
  if (settings.focus === "moves") for (let n = random.int(4); n > 0; n--) steps.push(...takenBack(random, settings));
  for (let n = 0; n < authorCalls; n++) {
    steps.push({ at: random.between(0, settings.duration), kind: "author", edge: random.int(2), n });
  }
  const deploy = random.fork("deploy");
  // Its crashes would park calls that did nothing.
  if (!settings.parks && deploy.chance(0.25)) steps.push(...deployment(deploy, settings));
  // A copy that was left behind by force lets its partition count no shards anew, until the shard moves there again.
  const recounted = steps.some(({ kind }) => kind === "shard count");
  const outbox = random.fork("outbox");
  const withSends = steps.flatMap((step) =>
    step.kind === "call" && MAY_SEND.has(step.deed) && outbox.chance(0.12) ? sends(outbox, step) : [step],
  );
  const reminders = random.fork("reminders");
  const withReminders = withSends.map((step): Step & { readonly at: number } =>
    step.kind === "call" && MAY_SEND.has(step.deed) && reminders.chance(0.12) ? { ...step, deed: "remindMe" } : step,
  );
  const scheduled = random.fork("scheduled");
  const withTimes = withReminders.map((step): Step & { readonly at: number } =>
    step.kind === "call" && step.reliable && step.deed !== "poison" && scheduled.chance(0.12)
      ? { ...step, notBefore: scheduled.pick([1, 20, 300, 2_000]) }
      : step,
  );
  const events = random.fork("events");
  const withEvents = withTimes.map((step): Step & { readonly at: number } =>
    step.kind === "call" && MAY_SEND.has(step.deed) && events.chance(0.15) ? { ...step, deed: "emitNow" } : step,
  );
  const unforced = recounted
    ? withEvents.map((step) => (step.kind === "cancel" ? { ...step, force: false } : step))
    : withEvents;
  return [...unforced, ...pushSteps(random.fork("push"), settings)].sort((left, right) => left.at - right.at);
}

function callStep(random: Random, settings: Settings): Step {
  const { objects, duration } = settings;
  const at = random.between(0, duration);
  const edge = random.int(2);
  const timeout = random.pick([20, 200, 1_000, 3_000, 3_000]);
  if (random.chance(0.08)) return { at, kind: "again", edge, pick: random.int(40), timeout };
  const deed = random.weighted(settings.focus === "moves" ? MOVED_DEEDS : DEEDS);
  // A call that can't be stored is parked in the end, where calls are.
  const plain = PLAIN.has(deed) || (deed === "poison" && !settings.parks);
  const reliable = deed === "logged" || (!plain && random.chance(0.5));
  return {
    at,
    kind: "call",
    edge,
    object: random.pick(objects),
    deed,
    reliable,
    timeout,
    accepted: reliable && random.chance(0.2),
    ms: random.pick([0, 0, 1, 10, 80]),
    to: random.pick(objects),
    expiresIn: reliable && random.chance(0.05) ? random.pick([5, 100, 1_000]) : undefined,
  };
}

/** Sends in place of another deed; more than one from the same object to the same other, so that their order can be seen. */
function sends(random: Random, step: CallStep & { readonly at: number }): Step[] {
  const times = random.pick([1, 1, 2, 4]);
  return Array.from({ length: times }, (_, n) => ({
    ...step,
    at: step.at + n * random.pick([0.5, 3, 50, 400]),
    deed: "send",
  }));
}

/** A move that is taken back: its first rows come when it is over, or its source ends when it has just said so. */
function takenBack(random: Random, { objects, duration }: Settings): Step[] {
  const at = random.between(0, duration);
  const object = random.pick(objects);
  return [
    { at, kind: "ambush", ambush: random.pick(TAKEN_BACK) },
    { at, kind: "move", object, to: random.int(4) },
    { at: at + random.between(10, 200), kind: "cancel", object, force: false },
  ];
}

/** Newer code comes, and shards move from where the older runs yet to where the newer runs already. */
function deployment(random: Random, { objects, duration }: Settings): Step[] {
  const at = random.between(0, duration);
  const apart = random.pick([0, 100, 2_000]);
  const moves = objects.slice(0, 2).map(
    (object): Step => ({
      at: at + random.between(0, apart),
      kind: "move",
      object,
      to: 0,
    }),
  );
  return [{ at, kind: "deploy", apart }, ...moves];
}

const TAKEN_BACK: readonly Ambush[] = [
  { method: "transfer", deed: "late", spares: 0 },
  { method: "undo", deed: "answered, then ends", spares: 0 },
];

/** Calls that share a commit with another: all of them wait while their partition stands still. Some send to it, or it to them. */
function company(random: Random, { objects }: Settings, call: CallStep & { readonly at: number }): Step[] {
  const together = objects.filter((object) => object !== call.object);
  const outbox = random.fork(`company ${call.at}`);
  return [
    { at: call.at - 1, kind: "freeze", machine: random.int(4), ms: 20 },
    ...together.map((object) => {
      const at = call.at + random.between(-1, 2);
      const beside = { ...call, at, object, deed: "addNow" as const, accepted: false };
      if (outbox.chance(0.4)) return { ...beside, deed: "send" as const, to: call.object, ms: 0 };
      return outbox.chance(0.3) ? { ...beside, object: call.object, deed: "send" as const, to: object, ms: 0 } : beside;
    }),
  ];
}

function operation(random: Random, { objects }: Settings, kind: Operation, at: number): Step {
  const machine = random.int(4);
  const ms = random.pick([20, 200, 1_000, 3_000]);
  switch (kind) {
    case "crash":
    case "usurp":
    case "write fails":
      return { at, kind, machine };
    case "disk full":
    case "disk broken":
      return { at, kind, machine: random.int(5), ms };
    case "crash at commit":
      return { at, kind, machine: random.int(5), commits: random.int(8), delay: random.pick([0, 0.05, 1]) };
    case "ambush":
      return { at, kind, ambush: ambushOf(random) };
    case "freeze":
      return { at, kind, machine: random.int(5), ms };
    case "cut":
      return { at, kind, one: machine, other: random.int(7), ms };
    case "log away":
    case "log slow":
      return { at, kind, ms };
    case "forget map":
      return { at, kind, edge: random.int(2) };
    case "move":
      return { at, kind, object: random.pick(objects), to: machine };
    case "pin":
      return { at, kind, object: random.pick(objects), to: random.chance(0.5) ? machine : undefined };
    case "unpin":
      return { at, kind, object: random.pick(objects) };
    case "cancel":
      return { at, kind, object: random.pick(objects), force: random.chance(0.3) };
    case "add":
    case "cordon":
    case "drain":
    case "uncordon":
    case "remove":
      return { at, kind, partition: machine };
    case "shard count":
      return { at, kind, factor: random.pick([0.5, 2, 2]) };
    default:
      return { at, kind };
  }
}
