import type { AccessRule } from "../access/access.ts";
import type { Config } from "../config/config.ts";
import { type Limits, mergedLimits } from "../limits/limits-schema.ts";
import type { Registry } from "../object/registry.ts";
import {
  type DocumentIssue,
  faultOf,
  type LogLevel,
  NO_DOCUMENT,
  readDocument,
  type SettingsDocument,
  type VersionedDocument,
  withDocument,
} from "./document.ts";
import { type EffectiveSetting, effectiveSettings } from "./effective.ts";
import { type GateState, gateStateOf } from "./gate-states.ts";

/** What becomes of a document that a process was given. */
export interface Confirmation {
  /** The newest that this process was ever given, this one or a later one. */
  readonly seen: number;
  /** The one that it goes by. */
  readonly version: number;
  /** Why it does not go by the newest. */
  readonly fault?: string;
}

/** All that a process goes by. */
export interface ProcessSettings extends Confirmation {
  readonly values: readonly EffectiveSetting[];
  readonly log: LiveSettings["log"];
  /** Rules of the document, over those of the code. */
  readonly access: readonly AccessRule[];
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

  /** The same for another process: as defaults and variables say. */
  fork(): LiveSettings {
    const registry = this.#registry === undefined ? {} : { registry: this.#registry };
    return new LiveSettings({ config: this.#base, given: this.#given, ...registry });
  }

  get hasTypes(): boolean {
    return this.#registry !== undefined;
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

  gateState(gate: string): GateState {
    return gateStateOf(this.#applied.document.gates, gate);
  }

  /** The configuration as it would be with a document. */
  configWith(document: SettingsDocument): Config {
    return withDocument(this.#base, document);
  }

  view(): ProcessSettings {
    const values = effectiveSettings(this.config, this.#given, this.#applied);
    return { ...this.confirmation, values, log: this.log, access: this.#applied.document.access ?? [] };
  }

  /** The limits of the code with the document's over them. */
  limitsOver(code: Limits): Limits {
    return mergedLimits(code, this.#applied.document.limits ?? {});
  }

  /** Calls back after every document that counts. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Why a document can't be used here; undefined when it can. */
  issueOf(given: unknown): DocumentIssue | undefined {
    const read = readDocument(given);
    if ("issues" in read) return read.issues[0];
    const message = this.#registry?.ruleFault(read.document.access ?? []);
    return message === undefined ? undefined : { path: ["access"], message };
  }

  /** The same as one sentence. */
  faultOf(given: unknown): string | undefined {
    const issue = this.issueOf(given);
    return issue === undefined ? undefined : faultOf([issue]);
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
