import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

const name = z.string().min(1).max(64);

const line = z.object({ from: z.string(), text: z.string(), at: z.number() });
const state = z.object({
  members: z.array(z.string()).default([]),
  lines: z.array(line).default([]),
  said: z.number().int().default(0),
});

/**
 * A room whose members talk. The invariant: only members speak, and the history keeps the order of speaking. Who listens to
 * the topic `room/<id>` hears what is said, and who is there.
 */
export class ChatRoom extends VirtualObject.withState(state) {
  static override readonly type = "ChatRoom";
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
    if (!this.state.members.includes(name)) {
      this.state.members.push(name);
      this.#tellMembers();
    }
    return { members: this.state.members };
  }

  leave({ name }: { name: string }) {
    this.state.members = this.state.members.filter((member) => member !== name);
    this.#tellMembers();
    return { members: this.state.members };
  }

  say({ name, text }: { name: string; text: string }) {
    if (!this.state.members.includes(name)) this.fail("NOT_A_MEMBER", `${name} has not joined`);
    this.state.said += 1;
    const line = { from: name, text, at: this.now() };
    this.state.lines.push(line);
    if (this.state.lines.length > ChatRoom.remembered) this.state.lines.shift();
    this.publish(`room/${this.id}`, { number: this.state.said, line });
    return { number: this.state.said };
  }

  history() {
    return this.state;
  }

  #tellMembers(): void {
    this.publish(`room/${this.id}`, { members: this.state.members });
  }
}
