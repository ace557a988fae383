import { type AccessRule, ruleFault } from "../access/access.ts";
import { isLiteral } from "../access/glob.ts";
import { compiled, type Rule } from "../access/steps.ts";
import { WATCH } from "../access/watch.ts";
import { nearestName } from "../config/nearest-name.ts";

/** What rules may name. */
interface Served {
  readonly type: string;
  readonly methods: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly live: object | undefined;
}

/**
 * The host's rules, ready to be applied. A rule that names what is not there protects nothing, so it is refused.
 * @throws Error saying which rule can't be used, and why
 */
export function hostRules(
  rules: readonly AccessRule[],
  classes: readonly Served[],
  from: "rule" | "document" = "rule",
): Rule[] {
  for (const [index, rule] of rules.entries()) {
    const fault = ruleFault(rule);
    if (fault !== undefined) throw new Error(`Cannot use access rule ${index}: ${fault}`);
  }
  const made = compiled(rules, from);
  for (const [index, { rule, onType, onMethod }] of made.entries()) {
    const types = classes.filter(({ type }) => onType(type));
    if (isLiteral(rule.type) && types.length === 0)
      throw missing(
        index,
        `no class of type "${rule.type}"`,
        rule.type,
        classes.map(({ type }) => type),
      );
    if (rule.method === undefined || !isLiteral(rule.method)) continue;
    const names = types.flatMap(({ methods, live }) => [
      ...Object.keys(methods),
      ...(live === undefined ? [] : [WATCH]),
    ]);
    if (!names.some(onMethod)) throw missing(index, `no method "${rule.method}" there`, rule.method, names);
  }
  return made;
}

function missing(index: number, what: string, name: string, names: readonly string[]): Error {
  const nearest = nearestName(name, names);
  const guess = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return new Error(`Cannot use access rule ${index}: the host serves ${what}${guess}`);
}
