import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

const name = z.string().min(1).max(64);

const line = z.object({ from: z.string(), text: z.string(), at: z.number() });
const state = z.object({
  members: z.array(z.string()).default([]),
  lines: z.array(line).default([]),
  said: z.number().int().default(0),
});

/** A room whose members talk. The invariant: only members speak, and the history keeps the order of speaking. */
export class ChatRoom extends VirtualObject.withState(state) {
  static override readonly type = "ChatRoom";
  /** Everybody may watch it. */
  static override readonly live = { anonymous: true };
  static override readonly methods = {
    join: method({ request: z.object({ name }) }),
    leave: method({ request: z.object({ name }) }),
    say: method({ request: z.object({ name, text: z.string().min(1).max(2_000) }) }),
    history: method({ readonly: true }),
  };
  /** Lines a room remembers. */
  static readonly remembered = 100;

  join({ name }: { name: string }) {
    if (this.state.members.length >= 1_000) this.fail("ROOM_FULL", "the room has 1,000 members");
    if (!this.state.members.includes(name)) this.state.members.push(name);
    return { members: this.state.members };
  }

  leave({ name }: { name: string }) {
    this.state.members = this.state.members.filter((member) => member !== name);
    return { members: this.state.members };
  }

  say({ name, text }: { name: string; text: string }) {
    if (!this.state.members.includes(name)) this.fail("NOT_A_MEMBER", `${name} has not joined`);
    this.state.said += 1;
    this.state.lines.push({ from: name, text, at: this.now() });
    if (this.state.lines.length > ChatRoom.remembered) this.state.lines.shift();
    return { number: this.state.said };
  }

  history() {
    return { lines: this.state.lines, said: this.state.said };
  }
}
