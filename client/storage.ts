/** A call that is stored until it has an outcome. */
export interface StoredCall {
  readonly callId: string;
  readonly type: string;
  readonly id: string;
  readonly method: string;
  readonly request: unknown;
  /** When it is not worth sending any more, in ms of `Date.now`. */
  readonly expiresAt: number;
}

/** Where an outbox keeps its calls. */
export interface OutboxStorage {
  /** All of them, in the order in which they were added. */
  list(): Promise<readonly StoredCall[]>;
  add(call: StoredCall): Promise<void>;
  remove(callId: string): Promise<void>;
}

/** As much of IndexedDB as is used: not every platform's types have it. */
interface Request<Result> {
  readonly result: Result;
  readonly error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}
interface Store {
  getAll(): Request<readonly StoredCall[]>;
  add(value: unknown): Request<unknown>;
  delete(key: unknown): Request<unknown>;
  createIndex(name: string, path: string, options: { unique: boolean }): unknown;
  index(name: string): { getKey(key: string): Request<unknown> };
}
interface Transaction {
  readonly error: unknown;
  oncomplete: (() => void) | null;
  onabort: (() => void) | null;
  objectStore(name: string): Store;
}
interface Database {
  onclose: (() => void) | null;
  onversionchange: (() => void) | null;
  close(): void;
  createObjectStore(name: string, options: { autoIncrement: boolean }): Store;
  transaction(name: string, mode: string, options?: { durability: string }): Transaction;
}
interface Factory {
  open(name: string, version: number): Request<Database> & { onupgradeneeded: (() => void) | null };
}

const STORE = "calls";

/** Keeps calls in IndexedDB, which all pages of an origin share: undefined where there is none. */
export function indexedDbStorage(name: string): OutboxStorage | undefined {
  const factory = (globalThis as { indexedDB?: Factory }).indexedDB;
  if (factory === undefined) return undefined;
  let opened: Promise<Database> | undefined;
  const forget = () => {
    opened = undefined;
  };
  const open = async () => {
    opened ??= openDatabase(factory, `edgeverse:${name}`, forget);
    opened.catch(forget);
    return opened;
  };
  const change = async (work: (store: Store) => void) => {
    const transaction = (await open()).transaction(STORE, "readwrite", { durability: "strict" });
    work(transaction.objectStore(STORE));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
  };
  return {
    list: async () => resultOf((await open()).transaction(STORE, "readonly").objectStore(STORE).getAll()),
    add: (call) => change((store) => store.add(call)),
    remove: (callId) =>
      change((store) => {
        const key = store.index("callId").getKey(callId);
        key.onsuccess = () => key.result !== undefined && store.delete(key.result);
      }),
  };
}

function openDatabase(factory: Factory, name: string, onEnd: () => void): Promise<Database> {
  const request = factory.open(name, 1);
  request.onupgradeneeded = () =>
    // The key grows with each call, whichever page adds it: it is their order.
    request.result.createObjectStore(STORE, { autoIncrement: true }).createIndex("callId", "callId", { unique: true });
  return resultOf(request).then((database) => {
    database.onclose = onEnd;
    database.onversionchange = () => {
      database.close();
      onEnd();
    };
    return database;
  });
}

function resultOf<Result>(request: Request<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
