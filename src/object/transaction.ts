/** An object by its type and id. */
export type ObjectName = readonly [type: string, id: string];

/** What a transaction does with the stubs of its objects. */
export type TransactionWork = (...stubs: never[]) => unknown;
