import type { History, Sent } from "./history.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

/** Statements that may fail over one call: its attempts, each tried alone after it failed with others. */
const MOST_TRIES = 200;

/** What can't be stored fails alone, and is tried a bounded number of times ([TURN4]). */
export function checkPoison({ partitions, settings }: World, { sent }: History): void {
  const copies = sent.reduce((sum, { deed, copies }) => sum + (deed === "poison" ? copies : 0), 0);
  for (const { name, disk } of settings.authors ? [] : partitions) {
    if (disk.refused.poison <= copies * MOST_TRIES) continue;
    throw new Violation(`[TURN4] ${name} tried ${disk.refused.poison} times to store what ${copies} calls can't`);
  }
  const near = nearPoison(sent);
  for (const { object, token, replies } of sent) {
    if (near.has(object)) continue;
    for (const { reply } of replies) {
      if (reply.kind !== "error" || reply.error.code !== "COMMIT_REFUSED") continue;
      throw new Violation(`[TURN4] ${token} of ${object} was refused, and had nothing to do with what can't be stored`);
    }
  }
}

/** Objects that were poisoned, all that call them or are called by them or are sent to, and so on. */
function nearPoison(sent: readonly Sent[]): ReadonlySet<string> {
  const near = new Set(sent.filter(({ deed }) => deed === "poison").map(({ object }) => object));
  const calls = sent.filter(({ deed }) => deed === "forward" || deed === "ask");
  for (let known = -1; known < near.size; ) {
    known = near.size;
    for (const { object, to } of calls) {
      if (!near.has(object) && !near.has(to)) continue;
      near.add(object).add(to);
    }
    // A sender has nothing to do with what becomes of its message.
    for (const { deed, object, to } of sent) if (deed === "send" && near.has(object)) near.add(to);
  }
  return near;
}
