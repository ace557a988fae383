import { type ClientError, fromWire } from "./client-error.ts";
import type { GateFrame, Welcome } from "./frames.ts";
import type { Link, LinkUser } from "./link.ts";
import { type Presence, PresenceLists } from "./presence.ts";

/** A message, and the topic that it was published to; without one it was for this client, or for all. */
export type OnMessage = (data: unknown, topic: string) => void;

export interface SubscribeOptions {
  /** Something may have been missed: ask the objects. */
  readonly onGap?: () => void;
  /** The topic is refused, or its connection. Nothing more comes. */
  readonly onError?: (error: ClientError) => void;
  /** Who takes part in the topic: all at the start and after a new connection, then who comes and goes. With it this client is seen. */
  readonly onPresence?: (presence: Presence) => void;
}

interface Subscription extends SubscribeOptions {
  readonly pattern: string;
  readonly onMessage: OnMessage;
}

/** Topics that a hello may name. More are asked for one by one, to be refused one by one. */
const IN_HELLO = 100;

/** What this client listens to. */
export class Topics implements LinkUser {
  readonly #link: Link;
  readonly #subscriptions = new Set<Subscription>();
  readonly #presence = new PresenceLists();
  readonly #direct = new Set<(data: unknown) => void>();

  constructor(link: Link) {
    this.#link = link;
    link.use(this);
  }

  subscribe(pattern: string, onMessage: OnMessage, options: SubscribeOptions): () => void {
    const subscription = { pattern, onMessage, ...options };
    const isNew = !this.#patterns.has(pattern);
    const wantsPresence = options.onPresence !== undefined;
    this.#subscriptions.add(subscription);
    if (isNew || wantsPresence) this.#ask(pattern);
    this.#link.open();
    return () => {
      if (!this.#subscriptions.delete(subscription)) return;
      if (wantsPresence && !this.#wantsPresence(pattern)) this.#presence.forget(pattern);
      if (!this.#patterns.has(pattern)) this.#link.send({ kind: "unsubscribe", topic: pattern });
      else if (wantsPresence && !this.#wantsPresence(pattern))
        this.#link.send({ kind: "subscribe", topic: pattern, presence: false });
    };
  }

  onDirect(onMessage: (data: unknown) => void): () => void {
    this.#direct.add(onMessage);
    this.#link.open();
    return () => {
      this.#direct.delete(onMessage);
    };
  }

  topics(): readonly string[] {
    return [...this.#patterns].filter((pattern) => !this.#wantsPresence(pattern)).slice(0, IN_HELLO);
  }

  opened({ topics }: Welcome, fresh: boolean): void {
    const wanted = this.#patterns;
    const asked = new Set(this.topics());
    for (const topic of topics) if (!wanted.has(topic)) this.#link.send({ kind: "unsubscribe", topic });
    for (const pattern of wanted) if (!asked.has(pattern)) this.#ask(pattern);
    if (fresh) this.#gap();
  }

  frame(frame: GateFrame): void {
    if (frame.kind === "message") this.#message(frame.data, frame.topic);
    else if (frame.kind === "gap") this.#gap();
    else if (frame.kind === "presence") {
      if (!this.#wantsPresence(frame.topic)) return; // What was on its way.
      const presence = this.#presence.take(frame);
      for (const { pattern, onPresence } of [...this.#subscriptions])
        if (pattern === frame.topic) guard(() => onPresence?.(presence));
    } else if (frame.kind === "error" && frame.topic !== undefined) {
      for (const subscription of [...this.#subscriptions])
        if (subscription.pattern === frame.topic) this.#refuse(subscription, fromWire(frame.error));
    }
  }

  refused(error: ClientError | undefined): void {
    if (error === undefined) this.#subscriptions.clear();
    for (const subscription of [...this.#subscriptions]) this.#refuse(subscription, error as ClientError);
  }

  get #patterns(): Set<string> {
    return new Set(Array.from(this.#subscriptions, ({ pattern }) => pattern));
  }

  #wantsPresence(pattern: string): boolean {
    return [...this.#subscriptions].some((one) => one.pattern === pattern && one.onPresence !== undefined);
  }

  #ask(topic: string): void {
    this.#link.send({ kind: "subscribe", topic, ...(this.#wantsPresence(topic) && { presence: true }) });
  }

  #message(data: unknown, topic: string | undefined): void {
    if (topic === undefined) for (const onMessage of [...this.#direct]) guard(() => onMessage(data));
    else
      for (const { pattern, onMessage } of [...this.#subscriptions])
        if (matches(pattern, topic)) guard(() => onMessage(data, topic));
  }

  #gap(): void {
    for (const { onGap } of [...this.#subscriptions]) guard(() => onGap?.());
  }

  #refuse(subscription: Subscription, error: ClientError): void {
    this.#subscriptions.delete(subscription);
    this.#presence.forget(subscription.pattern);
    guard(() => subscription.onError?.(error));
  }
}

/** Whether a topic is one of a pattern: `*` is any one name, `**` at the end one or more. */
export function matches(pattern: string, topic: string): boolean {
  if (pattern === topic) return true;
  const wanted = pattern.split("/");
  const names = topic.split("/");
  const rest = wanted.at(-1) === "**";
  if (rest ? names.length < wanted.length : names.length !== wanted.length) return false;
  return wanted.every((name, index) => name === "*" || name === names[index] || (rest && index === wanted.length - 1));
}

/** What an author's function throws is reported as any error that nobody catches, and stops nobody else. */
export function guard(run: () => void): void {
  try {
    run();
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}
