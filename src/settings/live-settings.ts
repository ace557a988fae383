import type { AccessRule } from "../access/access.ts";
import type { Config } from "../config/config.ts";
import type { Registry } from "../object/registry.ts";
import {
  faultOf,
  type LogLevel,
  NO_DOCUMENT,
  readDocument,
  type SettingsDocument,
  type VersionedDocument,
  withDocument,
} from "./document.ts";
import { type EffectiveSetting, effectiveSettings } from "./effective.ts";

/** What becomes of a document that a process was given. */
export interface Confirmation {
  /** The newest that this process was ever given, this one or a later one. */
  readonly seen: number;
  /** The one that it goes by. */
  readonly version: number;
  /** Why it does not go by the newest. */
  readonly fault?: string;
}

interface Parts {
  /** As defaults and variables say. */
  readonly config: Config;
  /** Names of the settings that variables have set. */
  readonly given?: Iterable<string>;
  /** The types of the host. Undefined in a process that decides nothing about calls. */
  readonly registry?: Registry;
}

/** No client may do anything. */
const CLOSED: readonly AccessRule[] = [
  { type: "*", access: "INTERNAL" },
  { type: "*", lifecycle: "ALL", access: "INTERNAL" },
];

/**
 * The settings of one process: what code and variables say, and the newest document over it ([CONF1]). Everybody in the
 * process reads `config` when a value is needed and keeps none, so a document counts from one event to the next.
 *
 * | a document comes | it is | then |
 * |---|---|---|
 * | version not above `seen` | late | nothing changes |
 * | version above `seen`, fits | newer | `seen` and `version` are its own; config, rules and log go by it |
 * | version above `seen`, does not fit | newer | `seen` is its own, and all else stays: the fault is told |
 */
export class LiveSettings {
  /** Its members change. */
  readonly config: Config;
  readonly #base: Config;
  readonly #given: ReadonlySet<string>;
  readonly #registry: Registry | undefined;
  readonly #listeners: (() => void)[] = [];
  #applied = NO_DOCUMENT;
  #seen = 0;
  #fault: string | undefined;

  constructor({ config, given = [], registry }: Parts) {
    this.config = { ...config };
    this.#base = config;
    this.#given = new Set(given);
    this.#registry = registry?.fork();
  }

  /** The types with the rules of now over them. */
  get registry(): Registry {
    if (this.#registry === undefined) throw new Error("this process has no types");
    return this.#registry;
  }

  get applied(): VersionedDocument {
    return this.#applied;
  }

  get confirmation(): Confirmation {
    const fault = this.#fault === undefined ? {} : { fault: this.#fault };
    return { seen: this.#seen, version: this.#applied.version, ...fault };
  }

  /** The newest version that it was given. */
  get seen(): number {
    return this.#seen;
  }

  get log(): { readonly level: LogLevel; readonly sampling: number } {
    const { level = "warn", sampling = 1 } = this.#applied.document.log ?? {};
    return { level, sampling };
  }

  effective(): EffectiveSetting[] {
    return effectiveSettings(this.config, this.#given, this.#applied);
  }

  /** Calls back after every document that counts. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Why a document can't be used here; undefined when it can. */
  faultOf(given: unknown): string | undefined {
    const read = readDocument(given);
    if ("issues" in read) return faultOf(read.issues);
    return this.#registry?.ruleFault(read.document.access ?? []);
  }

  /** Goes by a document if it is newer than all before, and fits. */
  apply(offer: VersionedDocument): Confirmation {
    if (offer.version <= this.#seen) return this.confirmation;
    this.#seen = offer.version;
    this.#fault = this.faultOf(offer.document);
    if (this.#fault === undefined) this.#goBy(offer);
    return this.confirmation;
  }

  /**
   * Goes by what a process before this one went by, whatever this one's code makes of it. Rules about what is not served any
   * more are about nothing. Rules that can't be read may have kept clients out, so none gets in.
   */
  restore(stored: VersionedDocument): void {
    if (stored.version <= this.#seen) return;
    this.#seen = stored.version;
    const read = readDocument(stored.document);
    if ("issues" in read) this.#fault = faultOf(read.issues);
    this.#goBy({ version: stored.version, document: "document" in read ? read.document : readable(stored.document) });
  }

  #goBy(offer: VersionedDocument): void {
    this.#applied = offer;
    Object.assign(this.config, withDocument(this.#base, offer.document));
    this.#registry?.putOver(offer.document.access ?? []);
    for (const listener of this.#listeners) listener();
  }
}

/** The sections that can be read. */
function readable(document: object): SettingsDocument {
  const sections = Object.entries(document).filter(([name, value]) => "document" in readDocument({ [name]: value }));
  const closed = sections.some(([name]) => name === "access") ? {} : { access: CLOSED };
  return { ...Object.fromEntries(sections), ...("access" in document ? closed : {}) } as SettingsDocument;
}
