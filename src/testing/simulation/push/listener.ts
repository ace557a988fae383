import { gateOf } from "../../../push/client-id.ts";
import { TestWatch } from "../../test-watch.ts";
import type { Random } from "../random.ts";
import type { SimTime } from "../sim-clock.ts";
import { Violation } from "../violation.ts";
import type { Acks, ListenerPlan } from "./push-settings.ts";
import { ROOM, type RoomMessage } from "./room.ts";
import { AGAIN, requestOf, type Said } from "./says.ts";
import { framesOf } from "./sent-frames.ts";
import type { SimConnection } from "./sim-connection.ts";
import type { SimGates } from "./sim-gates.ts";
import { Story } from "./story.ts";

interface Parts {
  readonly time: SimTime;
  readonly random: Random;
  readonly gates: SimGates;
  /** Ms that a session outlasts its connection. */
  readonly resume: number;
  /** Names of rooms. */
  readonly rooms: readonly string[];
  readonly mayForget: () => boolean;
}

/** Ms after which a client gives up to wait for its welcome. */
const WELCOME_WITHIN = 3_000;
/** Numbers of calls begin above those of watches. */
const CALLS_FROM = 100;

/** A client as a good one behaves, but for its acknowledgements: connects, comes back, watches and calls. */
export class Listener {
  readonly stories: Story[] = [];
  readonly watches = new Map<number, TestWatch>();
  /** How each watched room was seen, in order. */
  readonly views: { readonly room: string; readonly said: number; readonly view: unknown }[] = [];
  readonly #plan: ListenerPlan;
  readonly #parts: Parts;
  #acks: Acks;
  #connection: SimConnection | undefined;
  #welcomed = false;
  #ackComing = false;
  /** What the gate wants back, to know that the client reads. */
  #check: object | undefined;
  /** It does not come back. */
  #quit = false;
  readonly #open = new Map<number, Said>();
  #waiting: Said[] = [];
  #calls = CALLS_FROM;

  constructor(plan: ListenerPlan, parts: Parts) {
    this.#plan = plan;
    this.#parts = parts;
    this.#acks = plan.acks;
    for (const [index, room] of plan.watches.entries())
      this.watches.set(index, new TestWatch(ROOM, parts.rooms[room % parts.rooms.length] as string));
    parts.time.after(parts.random.between(0, 300), () => this.#connect());
  }

  /** The session that it has; undefined before the first, and after it has left. */
  get story(): Story | undefined {
    const story = this.stories.at(-1);
    return story?.left === true ? undefined : story;
  }

  /** Whether it is connected, or will never be. */
  get isSettled(): boolean {
    return this.#quit || (this.#welcomed && this.#open.size + this.#waiting.length === 0);
  }

  get isConnected(): boolean {
    return this.#welcomed;
  }

  cut(): void {
    const connection = this.#connection;
    connection?.cut();
    if (connection !== undefined) this.#lost(connection);
  }

  leave(): void {
    const { story } = this;
    if (!this.#welcomed || story === undefined) return;
    story.left = true;
    this.#say({ kind: "leave" });
  }

  quit(): void {
    this.#quit = true;
    this.cut();
    for (const said of [...this.#open.values(), ...this.#waiting]) said.outcome = { kind: "unknown" };
    this.#open.clear();
    this.#waiting = [];
  }

  /** Waits no more for the first of its calls. */
  cancel(): void {
    for (const [id, said] of this.#open) {
      this.#open.delete(id);
      said.outcome = { kind: "unknown" };
      this.#say({ kind: "cancel", id });
      return;
    }
  }

  /** From now on it reads as it should. */
  heal(): void {
    this.#acks = "at once";
    this.#ack();
  }

  call(said: Said): void {
    if (!this.#welcomed) {
      if (said.step.reliable && !this.#quit) this.#waiting.push(said);
      else said.outcome = { kind: "unknown" };
      return;
    }
    const id = this.#calls++;
    this.#open.set(id, said);
    const { reliable, object, timeout } = said.step;
    const callId = reliable ? { callId: said.token } : {};
    const request = requestOf(said);
    this.#say({ kind: "call", id, type: ROOM, object, method: "say", request, timeout, ...callId });
  }

  #say(frame: object): void {
    this.#connection?.say(frame);
  }

  #connect(): void {
    if (this.#quit || this.#connection !== undefined) return;
    const { gates, time } = this.#parts;
    const { story } = this;
    const gate = (story === undefined ? undefined : gateOf(story.client)) ?? gates.names[this.#plan.gate] ?? "g0";
    const known = story === undefined ? {} : { session: story.token, seen: story.seen };
    const isMine = (action: () => void) => {
      if (this.#connection === connection) action();
    };
    const connection: SimConnection = gates.connect(gate, {
      opened: () => isMine(() => connection.say({ kind: "hello", topics: this.#plan.topics, ...known })),
      received: (text) =>
        isMine(() => {
          for (const frame of framesOf(text)) this.#take(frame, connection);
        }),
      lost: () => isMine(() => this.#lost(connection)),
    });
    this.#connection = connection;
    time.after(WELCOME_WITHIN, () => {
      if (this.#connection === connection && !this.#welcomed) this.cut();
    });
  }

  #lost(connection: SimConnection): void {
    const { time, random } = this.#parts;
    this.#connection = undefined;
    const story = this.stories.at(-1);
    if (this.#welcomed && story !== undefined) story.awaySince ??= connection.endedAt ?? time.now;
    this.#welcomed = false;
    this.#check = undefined;
    for (const [id, said] of this.#open) {
      this.#open.delete(id);
      if (said.step.reliable) this.#waiting.push(said);
      else said.outcome = { kind: "unknown" };
    }
    if (!this.#quit) time.after(random.between(1, random.chance(0.2) ? 4_000 : 300), () => this.#connect());
  }

  #take(frame: ReturnType<typeof framesOf>[number], connection: SimConnection): void {
    const story = this.stories.at(-1);
    const number = (name: string) => Number(frame[name]);
    switch (frame.kind) {
      case "welcome":
        this.#begin(frame, connection);
        return;
      case "subscribed":
        if (story?.topics.has(String(frame["topic"])) === false)
          story.topics.set(String(frame["topic"]), this.#parts.time.now);
        return;
      case "message":
        story?.message(number("n"), frame["topic"] as string | undefined, frame["data"] as RoomMessage);
        this.#read();
        return;
      case "gap":
        if (!this.#parts.mayForget()) throw new Violation(`[PUSH1] a gap was told, and no message was forgotten`);
        story?.gap(number("n"));
        this.#read();
        return;
      case "check":
        this.#check = frame;
        this.#read();
        return;
      case "error":
        if (frame["topic"] !== undefined) throw new Violation(`[PUSH5] refused: ${JSON.stringify(frame)}`);
        return;
      default: {
        const watch = this.watches.get(number("id"));
        if (watch !== undefined) this.#see(watch, frame);
        else if (frame.kind === "result") this.#answered(number("id"), frame);
      }
    }
  }

  #begin(frame: ReturnType<typeof framesOf>[number], connection: SimConnection): void {
    const { time, resume } = this.#parts;
    const [client, token] = [String(frame["client"]), String(frame["session"])];
    const before = this.story;
    if (frame["resumed"] !== true) {
      const away = time.now - (before?.awaySince ?? Number.NEGATIVE_INFINITY);
      if (before !== undefined && away < resume)
        throw new Violation(`[PUSH1] the session of ${before.client} has ended: it was away for ${away} ms`);
      this.stories.push(new Story(client, token, Number(frame["seen"]), time.now));
    } else if (before?.client !== client) throw new Violation(`[PUSH1] ${before?.client} became ${client}`);
    else before.awaySince = undefined;
    this.#welcomed = true;
    for (const [id, { type, id: object, version }] of this.watches)
      connection.say({ kind: "watch", id, type, object, ...(version === undefined ? {} : { version }) });
    for (const said of this.#waiting.splice(0)) this.call(said);
  }

  #see(watch: TestWatch, frame: ReturnType<typeof framesOf>[number]): void {
    const { version } = watch;
    if (frame.kind === "result") throw new Violation(`[PUSH11] a watch was refused: ${JSON.stringify(frame)}`);
    try {
      watch.take(frame as never);
    } catch (error) {
      throw new Violation(`[PUSH11] ${error instanceof Error ? error.message : error}`);
    }
    if (version !== undefined && (watch.gone || (watch.version ?? 0) < version))
      throw new Violation(`[PUSH11] after version ${version} of ${watch.id} came ${JSON.stringify(frame)}`);
    const view = structuredClone(watch.state) as { said: number } | undefined;
    if (view !== undefined) this.views.push({ room: watch.id, said: view.said, view });
  }

  #answered(id: number, frame: ReturnType<typeof framesOf>[number]): void {
    const said = this.#open.get(id);
    if (said === undefined) return;
    this.#open.delete(id);
    const error = frame["error"] as { readonly retryable: boolean } | undefined;
    if (error === undefined) said.outcome = { kind: "done", said: (frame["response"] as { said: number }).said };
    else if (!error.retryable || !said.step.reliable) said.outcome = { kind: "failed" };
    else {
      this.#waiting.push(said);
      this.#parts.time.after(AGAIN, () => {
        if (this.#welcomed) for (const waiting of this.#waiting.splice(0)) this.call(waiting);
      });
    }
  }

  /** Says so at once, later or never, depending on its kind. */
  #read(): void {
    const { time, random } = this.#parts;
    if (this.#acks === "at once" || (this.#acks === "seldom" && random.chance(0.2))) this.#ack();
    if (this.#acks !== "late" || this.#ackComing) return;
    this.#ackComing = true;
    time.after(random.between(1, 1_500), () => {
      this.#ackComing = false;
      this.#ack();
    });
  }

  #ack(): void {
    const { story } = this;
    if (!this.#welcomed || story === undefined) return;
    this.#say({ kind: "ack", seen: story.seen });
    if (this.#check !== undefined) this.#say(this.#check);
    this.#check = undefined;
  }
}
