import type { Turn } from "./turn.ts";

/**
 * Whether a turn must be alone on its object. A readonly one need not, but a plain method that has no company is over before
 * any could come, and costs less as an exclusive turn.
 */
export function isExclusive({ plan, activation }: Turn): boolean {
  return (
    !plan.readonly ||
    (activation.instance === undefined && !activation.absent) ||
    (!plan.async && !activation.mailbox.shared)
  );
}
