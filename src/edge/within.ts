import type { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Clock } from "../platform/ports.ts";

/** The result of `work`, or the error `late()` after `ms`. What comes later is dropped. */
export function within<T>(clock: Clock, ms: number, work: Promise<T>, late: () => EdgeverseError): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(late()));
    work.then(resolve, reject).finally(cancel);
  });
}
