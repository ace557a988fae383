import { Audit } from "./audit.ts";
import { ClusterMap } from "./cluster-map.ts";
import { CommandRunner } from "./command-runner.ts";
import type { CoordinatorOptions } from "./coordinator-options.ts";
import { Loads } from "./loads.ts";
import { Membership } from "./membership.ts";
import { MoveDriver } from "./move-driver.ts";
import { type Move, MoveJournal } from "./move-journal.ts";
import { PlanSchedule } from "./plan-schedule.ts";
import { livePolicy } from "./policy.ts";
import { Rebalancer } from "./rebalancer.ts";
import { Resharder } from "./resharder.ts";
import { Revocations } from "./revocations.ts";
import { SettingsDesk } from "./settings-desk.ts";
import { SettingsSpread } from "./settings-spread.ts";
import { Silence } from "./silence.ts";

/** What the parts tell the coordinator. */
interface Signals {
  /** There is something that the planner should look at. */
  readonly wants: (trigger: string) => void;
  /** There is something to do. */
  readonly turn: () => void;
  readonly ended: (move: Move | undefined) => void;
  /** There will be something to do, also for the next process. */
  readonly armAgain: () => void;
}

export type CoordinatorParts = ReturnType<typeof coordinatorParts>;

/** The parts of a coordinator, put together over its tables. */
export function coordinatorParts(options: CoordinatorOptions, { wants, turn, ended, armAgain }: Signals) {
  const { storage, clock, connect, settings, gates, warn } = options;
  // First: the others go by what it restores.
  const desk = new SettingsDesk({ storage, clock, settings, onChanging: armAgain });
  const policy = livePolicy(settings);
  const map = new ClusterMap(storage, clock);
  const schedule = new PlanSchedule(clock);
  const parts = { storage, clock, map, connect, silence: new Silence(clock) };
  const journal = new MoveJournal(storage, clock);
  const members = new Membership({ ...parts, journal });
  const loads = new Loads({ ...parts, policy });
  const rebalancer = new Rebalancer({ ...parts, journal, policy, loads });
  const resharder = new Resharder({ ...parts, journal });
  const audit = new Audit(storage, clock);
  const spread = new SettingsSpread({ ...parts, gates, desk, onPause: turn });
  const revocations = new Revocations({ ...parts, gates, onPause: turn });
  const driver = new MoveDriver({
    ...parts,
    journal,
    config: settings.config,
    warn,
    onEnded: ended,
    onSilence: () => wants("silence"),
  });
  const commands = new CommandRunner({
    ...parts,
    journal,
    driver,
    members,
    rebalancer,
    resharder,
    desk,
    gates,
    policy,
    onChanged: wants,
    onOrdered: (rest) => {
      if (rest !== undefined) schedule.made(rest);
      turn();
    },
  });
  return {
    map,
    journal,
    loads,
    driver,
    rebalancer,
    resharder,
    members,
    audit,
    commands,
    schedule,
    policy,
    desk,
    spread,
    revocations,
  };
}
