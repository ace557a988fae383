import type { Plan, Policy } from "../placement/plan-types.ts";
import type { Clock } from "../platform/ports.ts";

/** A plan that was made, and how to go on with it. */
export interface PlannedRest {
  readonly plan: Plan;
  /** Ms until it is worth planning anew; undefined when only a change makes it so. */
  readonly again: number | undefined;
  /** What was planned by, in place of the settings. */
  readonly changes: Partial<Policy>;
}

/** Why a plan is due, and by what changes to the policy it is made. */
export interface DuePlan {
  readonly trigger: string;
  readonly changes: Partial<Policy> | undefined;
}

/** Ms until a plan that could not be made is tried again. */
const TRY_AGAIN = 5_000;

/** When the next plan is made, and why. In memory only: a new process of the coordinator plans first thing. */
export class PlanSchedule {
  readonly #clock: Clock;
  #trigger: string | undefined = "start";
  #at: number | undefined;
  /** No plan is made before: the last one failed. */
  #notBefore = 0;
  /** A plan was cut short: more shards are to move after its moves have begun, by the same changes. */
  #more: Partial<Policy> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When a plan is due by time alone; ms since the epoch. */
  get at(): number | undefined {
    return this.#at;
  }

  /** Something changed: a plan is due now. */
  want(trigger: string): void {
    this.#trigger = trigger;
    this.#at = this.#clock.now() < this.#notBefore ? this.#notBefore : undefined;
  }

  /** A plan is due `ms` from now, if none is sooner. */
  wantIn(ms: number): void {
    const at = this.#clock.now() + ms;
    this.#at = Math.min(this.#at ?? at, at);
  }

  /** The moves of the last plan have begun: it is gone on with if it was cut short. */
  goOn(): void {
    if (this.#more !== undefined) this.#trigger ??= "more";
  }

  /** The plan that is due, taken off the schedule; undefined when none is, or while it has to wait: it stays due then. */
  take(waits: boolean): DuePlan | undefined {
    if (this.#at !== undefined && this.#clock.now() >= this.#at) {
      this.#at = undefined;
      this.#trigger ??= "waited";
    }
    const trigger = this.#trigger;
    if (trigger === undefined || waits || this.#clock.now() < this.#notBefore) return undefined;
    this.#trigger = undefined;
    this.#at = undefined;
    return { trigger, changes: trigger === "more" ? this.#more : undefined };
  }

  /** A plan that was taken off could not be made: it is due again soon. */
  failed({ trigger }: DuePlan): void {
    this.#notBefore = this.#clock.now() + TRY_AGAIN;
    this.want(this.#trigger ?? trigger);
  }

  /** Notes how to go on after a plan. What an operator asked for is gone on with, whatever is planned in between. */
  made({ plan, again, changes }: PlannedRest): void {
    const cut = plan.skipped.some(({ reason }) => reason === "batch");
    const others = this.#more !== undefined && isAsked(this.#more) && !isAsked(changes);
    if (!others) this.#more = cut ? changes : undefined;
    if (again !== undefined) this.wantIn(again);
  }
}

/** Whether an operator asked to plan by something else than the settings. */
function isAsked(changes: Partial<Policy>): boolean {
  return Object.keys(changes).length > 0;
}
