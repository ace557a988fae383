import type { ObjectRef } from "../router/directory.ts";
import type { LiveAnswer, LiveChange, LiveReceipt, LiveWant } from "../router/live-views.ts";
import type { VersionedDocument } from "../settings/document.ts";
import type { Confirmation } from "../settings/live-settings.ts";
import type { PushMessage } from "./message-log.ts";

/** What is kept with a connection while the process that has it may sleep. */
export type WireNote =
  /** It was opened, and has yet to say hello: for whom, as JSON, and when. */
  | {
      readonly kind: "new";
      readonly identity: string | null;
      readonly at: number;
      readonly expires?: number;
      readonly credential?: string;
    }
  /** Whose it is, up to which message it has acknowledged, whether it has open calls, and when its credentials end. */
  | {
      readonly kind: "open";
      readonly client: string;
      readonly acked: number;
      readonly calling?: true;
      readonly expires?: number;
      readonly credential?: string;
    };

/** A connection to a client: a WebSocket, or a stream of events. */
export interface Wire {
  /** Does nothing if the connection is broken: its end is told otherwise. */
  send(text: string): void;
  close(code: number, reason: string): void;
  note(note: WireNote): void;
  /** When anything came from the client, ms since the epoch; undefined where that can't be told. */
  readonly heardAt: number | undefined;
  /** Its client can say nothing: what is acknowledged has left, and no more. It takes frames one by one, in no arrays. */
  readonly isStream?: true;
  /** From which client it comes, as limits name it ([LIM2]); undefined where that does not count. */
  readonly origin?: string | undefined;
}

/** Where a gate learns of objects that its clients watch. */
export interface LiveSource {
  /** The partition that has an object, as far as is known here. */
  owner(object: ObjectRef): string;
  /** Answers in the order of the wants. Never rejects. */
  watch(gate: string, wants: readonly LiveWant[]): Promise<LiveAnswer[]>;
}

/** The gates as partitions see them. */
export interface Gates {
  readonly names: readonly string[];
  /** Gives a gate messages. Once it resolves they are the gate's, durably; those that it has already count for nothing. */
  deliver(gate: string, messages: readonly PushMessage[]): Promise<void>;
  /** Gives a gate settings. Once it resolves they are kept there. */
  configure(gate: string, offer: VersionedDocument): Promise<Confirmation>;
  /** Tells a gate of objects that it watches; null: that partition `from` knows no more what it watches there. */
  live(gate: string, from: string, changes: readonly LiveChange[] | null): Promise<LiveReceipt>;
}
