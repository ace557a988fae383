import { glob } from "../access/glob.ts";
import type { Identity } from "../access/identity.ts";
import { type Pace, paceOf } from "./bucket.ts";
import { burstOf, type Limit, type Limits } from "./limits-schema.ts";

/** A limit that is ready to be applied. */
export interface ReadyLimit {
  readonly name: string;
  readonly per: Limit["per"];
  readonly rate: number;
  readonly burst: number;
  readonly pace: Pace;
  readonly exempt: readonly string[];
  /** Equal for limits that are. */
  readonly text: string;
}

/** What a call costs of a limit. */
export interface Charge {
  readonly limit: ReadyLimit;
  readonly cost: number;
}

/** What is charged for a call: nothing, mostly. */
export type Charges = readonly Charge[];

const NONE: Charges = [];
/** Types and methods that are remembered, and their characters: those that are served are few and short, and a name may come from a client. */
const REMEMBERED = 10_000;
const LONGEST = 256;

/** The limits of a host, and which of them are for what. Made once for each version of them. */
export class LimitSet {
  readonly limits: readonly ReadyLimit[];
  readonly #rules: readonly { readonly ready: ReadyLimit; readonly applies: ReturnType<typeof applies> }[];
  readonly #known = new Map<string | undefined, Map<string | undefined, Charges>>();
  #remembered = 0;

  /** @param per only these: others are applied elsewhere */
  constructor(limits: Limits, per: readonly Limit["per"][]) {
    this.#rules = Object.entries(limits)
      .filter(([, limit]) => per.includes(limit.per))
      .map(([name, limit]) => ({ ready: ready(name, limit), applies: applies(limit) }));
    this.limits = this.#rules.map((rule) => rule.ready);
  }

  get isEmpty(): boolean {
    return this.limits.length === 0;
  }

  /** What a call of the method costs; without a method, creating or deleting an object, or whatever else names no more. */
  charges(type?: string, method?: string): Charges {
    if (this.isEmpty) return NONE;
    let methods = this.#known.get(type);
    const known = methods?.get(method);
    if (known !== undefined) return known;
    const found = this.#rules.flatMap(({ ready: limit, applies: costOf }) => {
      const cost = costOf(type, method);
      return cost === undefined || cost === 0 ? [] : [{ limit, cost }];
    });
    if (this.#remembered < REMEMBERED && `${type}.${method}`.length <= LONGEST) {
      this.#remembered++;
      if (methods === undefined) {
        methods = new Map();
        this.#known.set(type, methods);
      }
      methods.set(method, found);
    }
    return found;
  }
}

export function isExempt({ exempt }: ReadyLimit, identity: Identity | undefined): boolean {
  return identity !== undefined && exempt.length > 0 && exempt.some((role) => identity.roles.includes(role));
}

function ready(name: string, limit: Limit): ReadyLimit {
  const { per, rate, exempt = [] } = limit;
  const burst = burstOf(limit);
  return {
    name,
    per,
    rate,
    burst,
    pace: paceOf({ rate, burst }),
    exempt,
    text: JSON.stringify([name, per, rate, burst]),
  };
}

/** What a call costs of a limit; undefined when the limit is not for it. */
function applies({ type, method, costs = {} }: Limit) {
  const [onType, onMethod] = [type, method].map((text) => (text === undefined ? undefined : glob(text)));
  const prices = new Map(Object.entries(costs));
  return (toType: string | undefined, toMethod: string | undefined): number | undefined => {
    if (onType !== undefined && (toType === undefined || !onType(toType))) return undefined;
    if (method !== undefined && (toMethod === undefined || onMethod?.(toMethod) === false)) return undefined;
    return prices.get(`${toType}.${toMethod}`) ?? 1;
  };
}
