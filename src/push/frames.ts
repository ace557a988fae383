import * as z from "zod";
import { EdgeverseError, type WireError } from "../errors/edgeverse-error.ts";
import { validationError } from "../object/validation-error.ts";
import { type CallFrame, isCall, readCallFrame } from "./call-frames.ts";
import type { Logged } from "./message-log.ts";
import { topicOf } from "./target.ts";

/** The subprotocol that clients ask for: its version counts. */
export const PROTOCOL = "edgeverse.v1";

/** What a client sends now and then, as it is: it is answered without waking anybody. */
export const PING = "ping";
export const PONG = "pong";

/** Bounds of what a client may send and hold. */
export const CLIENT = {
  topics: 100,
  /** Characters of a message, and frames in it. */
  message: 64 * 1024,
  frames: 256,
  /** Characters of a token. */
  token: 16 * 1024,
} as const;

/** What fits into a header: there credentials are looked for. */
const TOKEN = /^[!-~]*$/;

const number = z.number().int().nonnegative();

/** What clients send, besides calls. */
const frame = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("hello"),
    /** The token of a session to go on with, and the number of the last message that was seen of it. */
    session: z.string().max(256).optional(),
    seen: number.optional(),
    topics: z.array(z.string()).max(CLIENT.topics).optional(),
  }),
  z.strictObject({ kind: z.literal("ack"), seen: number }),
  /** `presence`: the client takes part, and wants to see who else does; false: no more. */
  z.strictObject({ kind: z.literal("subscribe"), topic: z.string(), presence: z.boolean().optional() }),
  z.strictObject({ kind: z.literal("unsubscribe"), topic: z.string() }),
  z.strictObject({ kind: z.literal("cancel"), id: number }),
  z.strictObject({
    kind: z.literal("token"),
    token: z.string().max(CLIENT.token).regex(TOKEN, "must be one word of ASCII"),
  }),
  z.strictObject({ kind: z.literal("check"), n: number }),
  z.strictObject({ kind: z.literal("leave") }),
  /** Live state of an object; `version`: what the client has of it. */
  z.strictObject({
    kind: z.literal("watch"),
    id: number,
    type: z.string().max(256),
    object: z.string().max(1_024),
    version: number.optional(),
  }),
]);

export type ClientFrame = z.output<typeof frame> | CallFrame;
export type Hello = Extract<ClientFrame, { kind: "hello" }>;

/**
 * The frames of a message: one, or several in an array. Each is parsed when its turn comes: those before one that can't be read count.
 * @throws EdgeverseError `PAYLOAD_TOO_LARGE`, `INVALID_JSON`, `INVALID_ARGUMENT`
 */
export function splitMessage(text: unknown): readonly unknown[] {
  if (typeof text !== "string") throw new EdgeverseError("INVALID_ARGUMENT", "A message must be text, not binary");
  if (text.length > CLIENT.message)
    throw new EdgeverseError("PAYLOAD_TOO_LARGE", `A message may have ${CLIENT.message} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new EdgeverseError("INVALID_JSON", "A message must be JSON");
  }
  if (!Array.isArray(value)) return [value];
  if (value.length <= CLIENT.frames) return value;
  throw new EdgeverseError("PAYLOAD_TOO_LARGE", `A message may have ${CLIENT.frames} frames`);
}

/** @throws EdgeverseError `INVALID_ARGUMENT` */
export function parseFrame(value: unknown): ClientFrame {
  if (isCall(value)) return readCallFrame(value);
  const parsed = frame.safeParse(value);
  if (parsed.success) return parsed.data;
  throw validationError("The frame", parsed.error);
}

/** What a client is told first: who it is, and what became of the session that it named. */
export interface Welcome {
  readonly client: string;
  /** The session's token. Who has it, and is the same identity, is this client. */
  readonly session: string;
  readonly resumed: boolean;
  /** Messages after this one follow. */
  readonly seen: number;
  readonly topics: readonly string[];
  /** Ms between pings: who sends none for much longer is taken for gone. */
  readonly ping: number;
  /** Ms that the session outlasts its connection. */
  readonly resumeWithin: number;
}

export function welcomeFrame(welcome: Welcome): string {
  return JSON.stringify({ kind: "welcome", ...welcome });
}

/** A message, the same text for all whom it is for. One without data is a gap: something may be missing up to it. */
export function messageFrame({ n, target, data }: Logged): string {
  if (data === null) return gapFrame(n);
  const topic = topicOf(target);
  const about = topic === undefined ? "" : `,"topic":${JSON.stringify(topic)}`;
  return `{"kind":"message","n":${n}${about},"data":${data}}`;
}

export function gapFrame(n: number): string {
  return `{"kind":"gap","n":${n}}`;
}

const NUMBERED = /^\{"kind":"(?:message|gap)","n":(\d+)/;

/** The number that a frame has as text, if it is a message or a gap. */
export function numberOf(frame: string): number | undefined {
  const n = NUMBERED.exec(frame)?.[1];
  return n === undefined ? undefined : Number(n);
}

/** The last frame of a stream that the gate ends. */
export function endFrame(code: number, reason: string): string {
  return JSON.stringify({ kind: "end", code, reason });
}

export function subscribedFrame(topic: string): string {
  return JSON.stringify({ kind: "subscribed", topic });
}

export function unsubscribedFrame(topic: string): string {
  return JSON.stringify({ kind: "unsubscribed", topic });
}

/** A client that gets much sends this back: so one that reads nothing is known. */
export function checkFrame(n: number): string {
  return `{"kind":"check","n":${n}}`;
}

/** @param topic that was refused; without it the whole frame was */
export function errorFrame({ code, message, retryable }: WireError, topic?: string): string {
  return JSON.stringify({
    kind: "error",
    ...(topic === undefined ? {} : { topic }),
    error: { code, message, retryable },
  });
}
