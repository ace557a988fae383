import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { copyRequest } from "../../object/outgoing-call.ts";
import type { Registry } from "../../object/registry.ts";
import {
  checkReminderName,
  checkReminderTime,
  type ObjectReminders,
  type Reminder,
  type ReminderTime,
} from "../../object/reminder.ts";
import { parseRequest } from "../../object/request.ts";
import type { Random } from "../../platform/ports.ts";
import { type ReminderPlace, reminderBytes } from "../storage/reminder-rows.ts";
import type { MemoryBudget } from "../turns/memory-budget.ts";
import type { Turn, TurnActivation } from "../turns/turn.ts";
import { type TurnEffect, TurnEffects } from "../turns/turn-effect.ts";
import type { ReminderChange, ReminderOwner } from "./reminder-table.ts";
import type { Reminders } from "./reminders.ts";
import { ruleOf } from "./rule.ts";

interface Parts {
  readonly registry: Registry;
  readonly random: Random;
  readonly memory: MemoryBudget;
  readonly reminders: Reminders;
  readonly config: { readonly maxMessage: number };
}

/** Reminders of one object. */
const MOST = 1_000;
const KIND = "reminders";

type OwnChange = Extract<ReminderChange, { kind: "set" | "forget" }>;

/** What one turn sets and forgets: stored if it succeeds. */
class ReminderEffect implements TurnEffect {
  readonly #activation: TurnActivation;
  readonly #memory: MemoryBudget;
  readonly #reminders: Reminders;
  readonly changes = new Map<string, OwnChange>();
  /** Of all reminders of the object, once one is set: to look for each would make a thousand of them slow. */
  #names: Set<string> | undefined;
  #bytes = 0;

  constructor(activation: TurnActivation, memory: MemoryBudget, reminders: Reminders) {
    this.#activation = activation;
    this.#memory = memory;
    this.#reminders = reminders;
  }

  /** @throws EdgeverseError `OVERLOADED` */
  add(name: string, change: OwnChange): void {
    const bytes = change.kind === "set" ? reminderBytes(change.reminder) : 0;
    if (bytes > 0) this.#reminders.checkRoom(this.#bytes + bytes);
    this.#memory.hold(bytes);
    this.#bytes += bytes;
    this.#change(name, change);
  }

  /** @throws EdgeverseError `PAYLOAD_TOO_LARGE` when the object may not have one of this name as well */
  checkCount(name: string, view: () => ReadonlyMap<string, number>): void {
    this.#names ??= new Set(view().keys());
    if (this.#names.has(name) || this.#names.size < MOST) return;
    const { key } = this.#activation;
    throw new EdgeverseError("PAYLOAD_TOO_LARGE", `Cannot set a reminder: ${key} has ${MOST} already`);
  }

  #change(name: string, change: OwnChange): void {
    this.changes.set(name, change);
    if (change.kind === "set") this.#names?.add(name);
    else this.#names?.delete(name);
  }

  checkAbsorb(inner: this): void {
    if (inner.#bytes > 0) this.#reminders.checkRoom(this.#bytes + inner.#bytes);
  }

  absorb(inner: this): void {
    for (const [name, change] of inner.changes) this.#change(name, change);
    this.#bytes += inner.#bytes;
    inner.#bytes = 0;
    inner.changes.clear();
  }

  check(): void {
    if (this.#bytes > 0) this.#reminders.checkRoom(this.#bytes);
  }

  publish(): void {
    this.#reminders.publish(this.#activation, [...this.changes.values()]);
  }

  close(): void {
    this.#memory.free(this.#bytes);
    this.#bytes = 0;
    this.changes.clear();
  }
}

/** Makes what `this.remind` and the like reach. */
export function turnReminders(parts: Parts) {
  return (turn: Turn): ObjectReminders => ({
    set: (name, time, method, request) => set(parts, turn, { name, time, method, request }),
    forget: (name) => forget(parts, turn, name),
    list: () => {
      const found = [...view(parts, turn)].map(([name, due]): Reminder => ({ name, due }));
      return found.sort((left, right) => left.due - right.due || (left.name < right.name ? -1 : 1));
    },
  });
}

/** @throws EdgeverseError `INVALID_ARGUMENT`, `METHOD_NOT_FOUND`, `PAYLOAD_TOO_LARGE`, `OVERLOADED` */
function set(
  parts: Parts,
  turn: Turn,
  {
    name,
    time,
    method,
    request,
  }: { readonly name: string; readonly time: ReminderTime; readonly method: string; readonly request: unknown },
): number {
  turn.checkMutable("set a reminder of");
  const { registry, random, config } = parts;
  const { activation, context, startedAt } = turn;
  checkReminderName(name);
  checkReminderTime(time, startedAt);
  const called = registry.methodFor(turn.asCaller, activation.definition, activation.id, method);
  if (called.readonly) {
    throw new EdgeverseError(
      "INVALID_ARGUMENT",
      `Cannot set a reminder for ${activation.definition.type}.${method}: it is declared readonly`,
    );
  }
  const copy = copyRequest(request, config.maxMessage);
  parseRequest(called, copy);
  const effect = effectOf(parts, turn);
  effect.checkCount(name, () => view(parts, turn));
  const setting = random.uuid();
  const { rule, due } = ruleOf(time, startedAt, Number.parseInt(setting.slice(0, 8), 16) / 2 ** 32);
  const text = copy === undefined ? null : JSON.stringify(copy);
  const place: ReminderPlace = [...ownerOf(activation), name];
  effect.add(name, {
    kind: "set",
    request: text,
    reminder: {
      place,
      setting,
      due,
      wake: due,
      last: null,
      attempts: 0,
      error: null,
      rule: JSON.stringify(rule),
      method,
      caller: JSON.stringify(turn.asCaller),
      requestId: context.requestId,
      traceparent: context.traceparent ?? null,
      bytes: text?.length ?? 0,
    },
  });
  return due;
}

function forget(parts: Parts, turn: Turn, name: string): boolean {
  turn.checkMutable("forget a reminder of");
  checkReminderName(name);
  const known = view(parts, turn).has(name);
  if (known) effectOf(parts, turn).add(name, { kind: "forget", place: [...ownerOf(turn.activation), name] });
  return known;
}

/** The object's reminders as the turn sees them: due times by name. */
function view({ reminders }: Parts, turn: Turn): Map<string, number> {
  const seen = reminders.of(ownerOf(turn.activation));
  const turns: Turn[] = [];
  for (let at: Turn | undefined = turn; at !== undefined; at = at.outer) turns.unshift(at);
  for (const { effects } of turns) {
    for (const [name, change] of effects?.find<ReminderEffect>(KIND)?.changes ?? []) {
      if (change.kind === "set") seen.set(name, change.reminder.due);
      else seen.delete(name);
    }
  }
  return seen;
}

function effectOf({ memory, reminders }: Parts, turn: Turn): ReminderEffect {
  return TurnEffects.of(turn).of(KIND, () => new ReminderEffect(turn.activation, memory, reminders));
}

function ownerOf({ position, definition, id }: TurnActivation): ReminderOwner {
  return [position, definition.type, id];
}
