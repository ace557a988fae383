import { deploymentOf, type Env } from "../durable/environment.ts";
import { clock } from "../durable/platform.ts";
import { identityByKey } from "../src/http/api-key-authenticator.ts";
import type { Authenticator } from "../src/http/authentication.ts";
import { KeyVerdicts } from "../src/http/key-verdicts.ts";

/**
 * Takes `Authorization: Bearer evk_…`: an API key that an operator has made by `POST /admin/v1/keys` ([ACC5]). Everything else
 * it leaves to the next authenticator.
 *
 * @example
 * defineHost({ objects: [Wallet], authenticate: [apiKeys(), jwt({ … })] });
 */
export function apiKeys(): Authenticator {
  const known = new WeakMap<object, KeyVerdicts>();
  return (request, env) =>
    identityByKey(request, () => {
      let verdicts = known.get(env);
      if (verdicts === undefined) {
        const { coordinator } = deploymentOf(env as unknown as Env);
        verdicts = new KeyVerdicts({ clock, find: (prefix, hash) => coordinator().findKey(prefix, hash) });
        known.set(env, verdicts);
      }
      return verdicts;
    });
}
