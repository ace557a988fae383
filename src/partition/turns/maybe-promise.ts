export type MaybePromise<T> = T | Promise<T>;

/**
 * Not named "then": a module that exports that is a promise to whoever imports it.
 *
 * Goes on with `next` at once when `value` is there, else when it comes. Keeps what never waits free of promises. */
export function andThen<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isThenable(value) ? Promise.resolve(value).then(next) : next(value);
}

function isThenable<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
