import type { Check } from "./check.ts";
import { adminChecks } from "./checks/admin.ts";
import { batchChecks } from "./checks/batches.ts";
import { httpChecks } from "./checks/http.ts";
import { identityChecks } from "./checks/identity.ts";
import { indexChecks } from "./checks/indexes.ts";
import { logChecks } from "./checks/log.ts";
import { memberChecks } from "./checks/members.ts";
import { moveChecks } from "./checks/moves.ts";
import { objectChecks } from "./checks/objects.ts";
import { reliableCallChecks } from "./checks/reliable-calls.ts";
import { reshardChecks } from "./checks/reshard.ts";
import { timeChecks } from "./checks/time.ts";
import { transactionChecks } from "./checks/transactions.ts";
import { turnChecks } from "./checks/turns.ts";

/** Every check, in the order in which they are tried. A new capability brings its own file and its line here. */
export const allChecks: readonly Check[] = [
  ...httpChecks,
  ...identityChecks,
  ...objectChecks,
  ...turnChecks,
  ...transactionChecks,
  ...indexChecks,
  ...reliableCallChecks,
  ...timeChecks,
  ...logChecks,
  ...batchChecks,
  ...adminChecks,
  ...moveChecks,
  ...memberChecks,
  ...reshardChecks,
];
