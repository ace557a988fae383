import { type Access, type AccessRule, declares, type TypeAccess, type Who } from "./access.ts";
import type { Step, Steps } from "./decide.ts";
import { glob } from "./glob.ts";
import { WATCH } from "./watch.ts";

/** A rule of the host, ready to be applied. */
export interface Rule {
  readonly rule: AccessRule;
  readonly onType: (type: string) => boolean;
  readonly onMethod: (method: string) => boolean;
  readonly step: Step;
}

const always = () => true;
const EVERYBODY = "{ anonymous: true }";
const inAccess = (example: string) => `"static access" of the class say it, such as ${example}`;
const NOBODY: Omit<Step, "from" | "implied"> = { matches: undefined, internal: true, clients: undefined };

/** @param rules without a fault @param from whether the host's code has them, or the settings that came while it runs */
export function compiled(rules: readonly AccessRule[], from: "rule" | "document" = "rule"): Rule[] {
  return rules.map((rule, index) => {
    const { type, id, method, access } = rule;
    return {
      rule,
      onType: glob(type) ?? always,
      onMethod: method === undefined ? always : (glob(method) ?? always),
      step: {
        matches: id === undefined ? undefined : glob(id),
        internal: access === "ALLOW" || access === "INTERNAL",
        clients: access === "ALLOW" || access === "EXTERNAL" ? whoOf(rule) : undefined,
        implied: false,
        from,
        index,
      },
    };
  });
}

/** Who may call a method: by the host's rules, else by what the method says, else by what its class says. */
export function methodSteps(
  rules: readonly Rule[],
  { type, name, method, all }: { type: string; name: string; method: Access; all: TypeAccess | undefined },
): Steps {
  const over = rules.filter(({ rule, onMethod }) => rule.lifecycle === undefined && onMethod(name));
  const own = declares(method) ? stepOf(method, "method") : all === undefined ? undefined : stepOf(all, "class");
  const steps = inOrder(over, own ?? { ...NOBODY, implied: false, from: "default" });
  return { what: `call ${type}.${name}`, remedy: inAccess(EVERYBODY), steps };
}

/** Who may watch objects of a type. Rules of the host count only where its class lets them be watched at all. */
export function watchSteps(rules: readonly Rule[], type: string, live: Who | undefined): Steps {
  const what = `watch a ${type}`;
  const remedy = `"static live" of the class say it, such as ${EVERYBODY}`;
  if (live === undefined) return { what, remedy, steps: [{ ...NOBODY, implied: false, from: "default" }] };
  const over = rules.filter(({ rule, onMethod }) => rule.lifecycle === undefined && onMethod(WATCH));
  return { what, remedy, steps: inOrder(over, stepOf(live, "class")) };
}

/** What is done with objects of a type beside calling them. */
export type TypeAction = "create" | "delete" | "query";

const REMEDY: Readonly<Record<TypeAction, string>> = {
  create: EVERYBODY,
  delete: '{ delete: { roles: ["admin"] } }',
  query: "{ query: { owner: true } }",
};

/** Who may create, delete or find objects of a type. */
export function lifecycleSteps(
  rules: readonly Rule[],
  { type, action, all }: { type: string; action: TypeAction; all: TypeAccess | undefined },
): Steps {
  const both = action === "query" ? undefined : "ALL";
  const over = rules.filter(
    ({ rule: { lifecycle } }) => lifecycle !== undefined && (lifecycle === both || lifecycle === action.toUpperCase()),
  );
  const said = all?.[action];
  const implied = action === "create";
  const step =
    said !== undefined ? stepOf(said, "class") : implied && all !== undefined ? stepOf(all, "class") : undefined;
  const own = step ?? { ...NOBODY, from: "default" };
  const steps = inOrder(over, { ...own, implied: implied && said === undefined });
  const what = action === "query" ? `find objects of ${type}` : `${action} a ${type}`;
  return { what, remedy: inAccess(REMEDY[action]), steps };
}

function stepOf(access: Access, from: "method" | "class"): Step {
  const clients = access.internal === true ? undefined : whoOf(access);
  return { matches: undefined, internal: true, clients, implied: false, from };
}

/** A copy: what decides is not to change afterwards. */
function whoOf({ anonymous, roles, owner, or }: Who): Who {
  return {
    anonymous: anonymous === true,
    owner: owner === true,
    ...(roles === undefined ? {} : { roles: [...roles] }),
    ...(or === undefined ? {} : { or: whoOf(or) }),
  };
}

/** What comes after a step for every object decides nothing. */
function inOrder(rules: readonly Rule[], own: Step): Step[] {
  const steps = rules.map(({ step }) => step);
  const last = steps.findIndex(({ matches }) => matches === undefined);
  return last < 0 ? [...steps, own] : steps.slice(0, last + 1);
}
