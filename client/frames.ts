import type { WireError } from "./client-error.ts";

/** The subprotocol that the client speaks. */
export const PROTOCOL = "edgeverse.v1";

/** Bounds of a message: those of the host, with room for the brackets. */
const MOST = { frames: 256, characters: 65_000 } as const;

/** One step of a JSON Patch (RFC 6902). */
export interface PatchStep {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

export interface Welcome {
  readonly kind: "welcome";
  readonly client: string;
  readonly session: string;
  readonly resumed: boolean;
  readonly seen: number;
  readonly topics: readonly string[];
  /** Ms between pings. */
  readonly ping: number;
}

/** A client that takes part in a topic. */
export interface Member {
  readonly client: string;
  /** The id of its identity; null for one that nobody knows. */
  readonly id: string | null;
}

export interface PresenceFrame {
  readonly kind: "presence";
  readonly topic: string;
  readonly count: number;
  /** All who are there, in place of what was known. */
  readonly here?: readonly Member[];
  readonly joined?: readonly Member[];
  readonly left?: readonly Member[];
}

/** What a gate sends. docs/clients.md has the table. */
export type GateFrame =
  | Welcome
  | { readonly kind: "message"; readonly n: number; readonly topic?: string; readonly data: unknown }
  | { readonly kind: "gap"; readonly n: number }
  | { readonly kind: "check"; readonly n: number }
  | { readonly kind: "error"; readonly topic?: string; readonly error: WireError }
  | { readonly kind: "result"; readonly id: number; readonly response?: unknown; readonly error?: WireError }
  | { readonly kind: "state"; readonly id: number; readonly version: number; readonly state: unknown }
  | {
      readonly kind: "patch";
      readonly id: number;
      readonly version: number;
      readonly from: number;
      readonly patch: readonly PatchStep[];
    }
  | { readonly kind: "gone"; readonly id: number }
  | PresenceFrame
  | { readonly kind: "renewed"; readonly error?: WireError };

/** What the client sends. */
export type ClientFrame = { readonly kind: string; readonly [member: string]: unknown };

/** The frames of a message. One that can't be read has none. */
export function readFrames(text: unknown): readonly GateFrame[] {
  try {
    const value = JSON.parse(String(text)) as GateFrame | readonly GateFrame[];
    return Array.isArray(value) ? value : [value as GateFrame];
  } catch {
    return [];
  }
}

/** Whether a frame fits into a message at all. */
export function fits(text: string): boolean {
  return text.length <= MOST.characters;
}

/** Texts of frames as messages: as few as may be. */
export function messagesOf(frames: readonly string[]): string[] {
  const messages: string[] = [];
  let part: string[] = [];
  let length = 0;
  const close = () => {
    if (part.length > 0) messages.push(part.length === 1 ? (part[0] as string) : `[${part.join(",")}]`);
    [part, length] = [[], 0];
  };
  for (const frame of frames) {
    if (part.length === MOST.frames || length + frame.length + part.length > MOST.characters) close();
    part.push(frame);
    length += frame.length;
  }
  close();
  return messages;
}
