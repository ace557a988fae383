import * as z from "zod";
import { method } from "../../object/method.ts";
import type { ObjectClass } from "../../object/object-class.ts";
import type { Indexed } from "../../object/object-index.ts";
import { type CallOutcome, callOutcome } from "../../object/outbox.ts";
import { VirtualObject } from "../../object/virtual-object.ts";
import { POISON } from "./sim-storage.ts";

export type Sleep = (ms: number) => Promise<void>;

/** What every reading and writing method of a ledger answers. */
export interface LedgerView {
  readonly tokens: readonly string[];
}

/** What a deed's ms are multiplied with for its reminder: some are due at once, some when other trouble has come. */
const REMIND_FACTOR = 50;

const token = z.string();
const ms = z.number().default(0);
const STATE = z.object({
  tokens: z.array(z.string()).default([]),
  /** Tokens of calls it has sent, by their ids, and the ids of those whose outcome it has heard. */
  sent: z.record(z.string(), z.string()).default({}),
  heard: z.array(z.string()).default([]),
});
type Tokens = Pick<z.output<typeof STATE>, "tokens">;
const size = ({ tokens }: Tokens) => tokens.length;

/** What a ledger is found by. In newer code one index has other values, one is gone, and one is new. */
export function ledgerIndex(newer: boolean): Readonly<Record<string, (state: Tokens) => Indexed>> {
  return newer
    ? { size, tokens: ({ tokens }) => tokens.slice(-3), first: ({ tokens }) => tokens[0] }
    : { size, tokens: ({ tokens }) => tokens.slice(-8), empty: ({ tokens }) => tokens.length === 0 || undefined };
}

const EVENTS = { "ledger.added": z.object({ token }) };
const METHODS = {
  add: method({ request: z.object({ token, ms }) }),
  addNow: method({ request: z.object({ token }) }),
  logged: method({ request: z.object({ token }), log: "write-ahead" }),
  refuse: method({ request: z.object({ token }) }),
  poison: method({ request: z.object({ token }) }),
  forward: method({ request: z.object({ token, to: z.string(), ms }) }),
  ask: method({ request: z.object({ token, to: z.string() }) }),
  send: method({ request: z.object({ token, to: z.string(), ms }) }),
  told: method({ internal: true, request: callOutcome }),
  emitNow: method({ request: z.object({ token }) }),
  remindMe: method({ request: z.object({ token, ms }) }),
  reminded: method({ internal: true, request: z.object({ token }) }),
  list: method({ readonly: true, request: z.object({ ms }) }),
};

/**
 * Makes the simulated object's class for one process. It holds tokens in order, each of them in its state and as a row.
 * @param newer whether the process runs newer code
 */
export function ledgerOf(sleep: Sleep, hooks: number, newer = false): ObjectClass {
  class Ledger extends VirtualObject<z.output<typeof STATE>, typeof EVENTS> {
    static override readonly type = "SimulatedLedger";
    static override readonly state = STATE;
    static override readonly index = ledgerIndex(newer);
    static override readonly timeout = "2s";
    static override readonly access = { anonymous: true, delete: { anonymous: true } };
    static override readonly methods = METHODS;
    static override readonly events = EVENTS;

    async add({ token, ms }: { token: string; ms: number }) {
      this.state.tokens.push(token);
      if (ms > 0) await sleep(ms);
      return this.#added(token);
    }

    addNow({ token }: { token: string }) {
      this.state.tokens.push(token);
      return this.#added(token);
    }

    logged({ token }: { token: string }) {
      return this.addNow({ token });
    }

    refuse({ token }: { token: string }): never {
      this.emit("ledger.added", { token });
      this.addNow({ token });
      throw this.fail("NO", "no");
    }

    /** Adds what can't be stored. */
    poison({ token }: { token: string }) {
      this.emit("ledger.added", { token });
      return this.addNow({ token: token + POISON });
    }

    /** Adds to another ledger exactly once, then here. */
    async forward({ token, to, ms }: { token: string; to: string; ms: number }) {
      if (ms > 0) await sleep(ms);
      const other = this.object(Ledger, to, { callId: this.callIdFor("forward") });
      await other.addNow({ token: `${token}>` });
      return this.addNow({ token });
    }

    /** Adds to another ledger in a plain call, then here. */
    async ask({ token, to }: { token: string; to: string }) {
      await this.object(Ledger, to).addNow({ token: `${token}>` });
      return this.addNow({ token });
    }

    /** Adds here, and to another ledger through the outbox, twice: it hears of the second. A delay of less than 10 ms is none. */
    send({ token, to, ms }: { token: string; to: string; ms: number }) {
      const delay = ms < 10 ? 0 : ms;
      this.outbox(Ledger, to, { delay }).addNow({ token: `${token}>>` });
      const callId = this.outbox(Ledger, to, { onOutcome: "told", delay }).addNow({ token: `${token}>` });
      this.state.sent[callId] = token;
      return this.addNow({ token });
    }

    /** Adds for each outcome that it hears. */
    told({ callId, status }: CallOutcome) {
      const token = this.state.heard.includes(callId) ? `${callId} once more` : this.state.sent[callId];
      delete this.state.sent[callId];
      this.state.heard.push(callId);
      // It was deleted meanwhile.
      if (token !== undefined) this.addNow({ token: `${token}<${status === "success" ? "" : status}` });
    }

    /** Adds, and tells the outside so twice. */
    emitNow({ token }: { token: string }) {
      this.emit("ledger.added", { token });
      this.emit("ledger.added", { token: `${token}+` });
      return this.addNow({ token });
    }

    /** Adds now, and has itself called to add once more. A second reminder is set and replaced, a third forgotten. */
    remindMe({ token, ms }: { token: string; ms: number }) {
      this.remind(token, { after: 0 }, "reminded", { token: `${token} was replaced` });
      this.remind(token, { after: ms * REMIND_FACTOR }, "reminded", { token });
      this.remind("forgotten", { after: 0 }, "reminded", { token: `${token} was forgotten` });
      this.forget("forgotten");
      return this.addNow({ token });
    }

    reminded({ token }: { token: string }) {
      return this.addNow({ token: `${token}!` });
    }

    async list({ ms }: { ms: number }) {
      if (ms > 0) await sleep(ms);
      const rows = this.store.list().map(({ key }) => key);
      const { tokens } = this.state;
      if (JSON.stringify([...new Set(tokens)].sort()) !== JSON.stringify(rows.sort())) {
        throw this.fail("TORN", `state holds ${tokens}, rows hold ${rows}`);
      }
      return { tokens: [...tokens] };
    }

    #added(token: string): LedgerView {
      this.store.put(token, this.state.tokens.length);
      return { tokens: [...this.state.tokens] };
    }
  }
  if (hooks === 0) return Ledger;
  return class extends Ledger {
    protected override async onActivate() {
      await sleep(hooks);
    }
    protected override async onDeactivate() {
      await sleep(hooks);
    }
  };
}
