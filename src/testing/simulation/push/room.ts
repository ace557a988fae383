import * as z from "zod";
import { clientGone } from "../../../object/client-messages.ts";
import { method } from "../../../object/method.ts";
import type { ObjectClass } from "../../../object/object-class.ts";
import { VirtualObject } from "../../../object/virtual-object.ts";

/** A message that a room has sent: its number at the room, the call that sent it, and to whom: `topic`, `all` or a client. */
export interface Line {
  readonly n: number;
  readonly token: string;
  readonly to: string;
  /** Characters that come with it. */
  readonly size: number;
}

/** A message as clients get it. */
export interface RoomMessage extends Line {
  readonly room: string;
}

const STATE = z.object({
  lines: z.array(z.object({ n: z.number(), token: z.string(), to: z.string(), size: z.number() })).default([]),
  /** Clients of whose end it was told. */
  gone: z.array(z.string()).default([]),
});
export type RoomState = z.output<typeof STATE>;

export const ROOM = "SimulatedRoom";

/** What those who watch a room see of it: some of its lines, and as much text as the last had. */
export function roomView(lines: readonly Line[]): object {
  const { n, size } = lines.at(-1) ?? { n: 0, size: 0 };
  return { said: lines.length, last: lines.slice(-6), text: textOf(n, size) };
}

function textOf(n: number, size: number): string {
  return String(n % 10).repeat(size);
}

/** Makes the class of objects that talk to clients, for one process. What a room has sent is in its state, in order. */
export function roomOf(sleep: (ms: number) => Promise<void>): ObjectClass {
  return class Room extends VirtualObject.withState(STATE) {
    static override readonly type = ROOM;
    static override readonly access = { anonymous: true };
    static override readonly live = { anonymous: true, view: (state: unknown) => roomView((state as RoomState).lines) };
    static override readonly timeout = "2s";
    static override readonly methods = {
      say: method({
        request: z.object({
          token: z.string(),
          to: z.array(z.string()),
          size: z.number(),
          ms: z.number(),
          fails: z.boolean(),
        }),
      }),
      gone: method({ internal: true, request: clientGone }),
    };

    async say({
      token,
      to,
      size,
      ms,
      fails,
    }: {
      token: string;
      to: string[];
      size: number;
      ms: number;
      fails: boolean;
    }) {
      for (const target of to) {
        const line = { n: this.state.lines.length + 1, token, to: target, size };
        this.state.lines.push(line);
        const message = { ...line, room: this.id, text: textOf(line.n, size) };
        if (target === "topic") this.publish(`room/${this.id}`, message);
        else if (target === "all") this.broadcast(message);
        else this.push(target, message);
      }
      if (ms > 0) await sleep(ms);
      if (fails) throw this.fail("NO", "no");
      return { said: this.state.lines.length };
    }

    gone({ client }: { client: string }) {
      this.state.gone.push(client);
    }
  };
}
