import type { Member, MemberList } from "./presence-note.ts";

/** Who is there. It takes the place of what the client knew. */
export function hereFrame(topic: string, { count, members }: MemberList): string {
  return JSON.stringify({ kind: "presence", topic, count, here: members.map(seen) });
}

/** Who has come and gone since. */
export function changeFrame(topic: string, count: number, joined: readonly Member[], left: readonly Member[]): string {
  return JSON.stringify({
    kind: "presence",
    topic,
    count,
    ...(joined.length > 0 && { joined: joined.map(seen) }),
    ...(left.length > 0 && { left: left.map(seen) }),
  });
}

function seen({ client, id }: Member) {
  return { client, id };
}
