import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Clock } from "../platform/ports.ts";
import { within } from "../platform/within.ts";
import type { ObjectRef } from "./directory.ts";
import type { LiveAnswer, LiveWant } from "./live-views.ts";
import type { Connect } from "./ports.ts";
import type { Router } from "./router.ts";

interface Parts {
  readonly router: Router;
  readonly connect: Connect;
  readonly clock: Clock;
}

/** Ms that an owner may take to answer. */
const WITHIN = 10_000;

/** Where a gate asks for objects that its clients watch: each owner once, and whoever has what has moved. */
export class LiveOwners {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The partition that has the object, as far as is known here. */
  owner(object: ObjectRef): string {
    return this.#parts.router.owner(object);
  }

  /** Answers in the order of the wants. Never rejects. */
  async watch(gate: string, wants: readonly LiveWant[]): Promise<LiveAnswer[]> {
    const answers = new Map<LiveWant, LiveAnswer>();
    const groups = new Map<string, LiveWant[]>();
    for (const want of wants) {
      try {
        const owner = this.owner(want);
        const group = groups.get(owner);
        if (group === undefined) groups.set(owner, [want]);
        else group.push(want);
      } catch (error) {
        answers.set(want, refused(error));
      }
    }
    await Promise.all(Array.from(groups, ([owner, group]) => this.#ask(gate, owner, group, answers)));
    return wants.map((want) => answers.get(want) as LiveAnswer);
  }

  async #ask(
    gate: string,
    owner: string,
    wants: readonly LiveWant[],
    answers: Map<LiveWant, LiveAnswer>,
  ): Promise<void> {
    const { connect, clock } = this.#parts;
    const asked = (async () => connect(owner).watch(gate, wants))();
    const given = await within(clock, WITHIN, asked, () => new Error("silent")).catch(() => undefined);
    await Promise.all(
      wants.map(async (want, index) => {
        const answer = given?.[index];
        answers.set(want, answer === undefined || answer.kind === "moved" ? await this.#follow(gate, want) : answer);
      }),
    );
  }

  async #follow(gate: string, want: LiveWant): Promise<LiveAnswer> {
    const { router, clock } = this.#parts;
    try {
      return await router.ask<LiveAnswer>(want, clock.now() + WITHIN, async (client) => {
        const [answer] = await client.watch(gate, [want]);
        return answer?.kind === "moved" ? { movedTo: answer.to } : (answer as LiveAnswer);
      });
    } catch (error) {
      return refused(error);
    }
  }
}

function refused(error: unknown): LiveAnswer {
  return { kind: "refused", error: EdgeverseError.from(error).toWire() };
}
