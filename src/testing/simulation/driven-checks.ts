import { shardsOf } from "./owner-checks.ts";
import { BEGINNING } from "./sim-clock.ts";
import { unfinished } from "./unfinished.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

/** Ms that an alarm may take. */
const LATE = 5_000;

/** Who has something to go on with runs: its alarm has woken it ([CALL3], [MIG6], [PUSH3]). */
export function checkDriven(world: World): void {
  const { coordinator } = world;
  if (coordinator.process?.alive !== true) {
    const undone = unfinished(coordinator.disk);
    if (undone !== undefined) throw new Violation(`[MIG6] nobody goes on with ${undone} at the coordinator`);
  }
  for (const { name, disk, process } of world.partitions) {
    if (process?.alive === true || shardsOf(disk) === undefined) continue;
    const [open] = disk.query<{ call_id: string }>("SELECT call_id FROM pending WHERE status = 'pending' LIMIT 1");
    if (open !== undefined) throw new Violation(`[CALL3] nobody goes on with call ${open.call_id} at ${name}`);
    const [unsent] = disk.query<{ call_id: string }>(
      "SELECT call_id FROM outbox WHERE status = 'waiting' AND due <= ? LIMIT 1",
      world.time.now,
    );
    if (unsent !== undefined) throw new Violation(`[CALL7] nobody at ${name} delivers message ${unsent.call_id}`);
    const [missed] = disk.query<{ name: string }>("SELECT name FROM reminders WHERE wake <= ? LIMIT 1", world.time.now);
    if (missed !== undefined) throw new Violation(`[TIME1] nobody at ${name} takes up reminder ${missed.name}`);
    const [kept] = disk.query<{ event_id: string }>("SELECT event_id FROM events WHERE status = 'waiting' LIMIT 1");
    if (kept !== undefined) throw new Violation(`[EVT1] nobody at ${name} sends event ${kept.event_id}`);
    const [untold] = world.settings.withLog ? disk.query<{ list: string }>("SELECT list FROM backlog LIMIT 1") : [];
    if (untold !== undefined) throw new Violation(`[CALL5] nobody at ${name} tells the log of ${untold.list}`);
  }
  for (const { name, disk, process } of world.gates.machines) {
    const [over] = disk.query<{ client: string }>(
      "SELECT client FROM sessions WHERE ends < ? LIMIT 1",
      BEGINNING + world.time.now - LATE,
    );
    if (over !== undefined) throw new Violation(`[PUSH3] nobody at ${name} ends the session of ${over.client}`);
    const [untold] = disk.query<{ client: string }>("SELECT client FROM farewells LIMIT 1");
    if (untold !== undefined && process?.alive !== true)
      throw new Violation(`[PUSH3] nobody at ${name} tells that ${untold.client} is gone`);
  }
}
