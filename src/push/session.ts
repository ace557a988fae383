import type { Identity } from "../access/identity.ts";
import { clientOf, TO_ALL, toClient, topicOf, toTopic } from "./target.ts";
import { covers } from "./topic.ts";

/** One topic or pattern that a client listens to. */
export interface Subscription {
  readonly segments: readonly string[];
  /** Messages after this number are for the client. */
  readonly since: number;
}

/** What a gate knows of a client, whether it is connected or away. */
export class Session {
  readonly client: string;
  /** As whom it connected last. */
  identity: Identity | null;
  /** The number of the newest message when it began. */
  readonly started: number;
  /** Everything for it up to this message has been acknowledged. */
  position: number;
  /** By their texts. */
  readonly topics: Map<string, Subscription>;

  constructor(parts: Pick<Session, "client" | "identity" | "started" | "position" | "topics">) {
    this.client = parts.client;
    this.identity = parts.identity;
    this.started = parts.started;
    this.position = parts.position;
    this.topics = parts.topics;
  }

  /** What messages for this client are addressed to; undefined where patterns would have to be tried. */
  get targets(): string[] | undefined {
    const targets: string[] = [TO_ALL, toClient(this.client)];
    for (const [topic, { segments }] of this.topics) {
      if (segments.includes("*") || segments.at(-1) === "**") return undefined;
      targets.push(toTopic(topic));
    }
    return targets;
  }

  /** Whether message `n` is for this client. */
  wants(target: string, n: number): boolean {
    if (n <= this.started) return false;
    const topic = topicOf(target);
    if (topic === undefined) {
      const client = clientOf(target);
      return client === undefined || client === this.client;
    }
    const exact = this.topics.get(topic);
    if (exact !== undefined && n > exact.since) return true;
    const segments = topic.split("/");
    for (const { segments: pattern, since } of this.topics.values())
      if (n > since && covers(pattern, segments)) return true;
    return false;
  }
}
