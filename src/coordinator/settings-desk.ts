import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import { changesBetween } from "../settings/changes.ts";
import {
  faultOf,
  NO_DOCUMENT,
  readDocument,
  type SettingsDocument,
  type VersionedDocument,
} from "../settings/document.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import type { Operator, SettingsCommand } from "./commands.ts";
import { policyOf } from "./policy.ts";
import type { SettingsResult, SettingsVersion } from "./settings-views.ts";

interface Row {
  readonly [column: string]: string | number | null;
  readonly version: number;
  readonly document: string;
  readonly at: number;
  readonly actor: string;
  readonly request_id: string;
  readonly source: number | null;
}

interface Parts {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly settings: LiveSettings;
  /** Called before a new version is written, in the event in which it is. */
  readonly onChanging: () => void;
}

/** Versions that are kept. */
const KEPT = 100;

/** Takes an operator's documents and keeps their versions ([CONF1]). Numbers grow, and none is given out twice. */
export class SettingsDesk {
  readonly #parts: Parts;
  #newest: VersionedDocument;
  #settled: VersionedDocument;

  constructor(parts: Parts) {
    this.#parts = parts;
    const [row] = parts.storage.query<Row>("SELECT * FROM settings ORDER BY version DESC LIMIT 1");
    this.#newest = row === undefined ? NO_DOCUMENT : versioned(row);
    // What this process finds in its database is durable.
    this.#settled = this.#newest;
    parts.settings.restore(this.#newest);
  }

  /** The newest version; it may not be durable yet. */
  get newest(): VersionedDocument {
    return this.#newest;
  }

  /** The newest that is durable: what others may hear of. */
  get settled(): VersionedDocument {
    return this.#settled;
  }

  /** Resolves once the newest of now is durable. */
  async settle(): Promise<VersionedDocument> {
    const newest = this.#newest;
    if (newest.version > this.#settled.version) {
      await this.#parts.storage.barrier();
      if (newest.version > this.#settled.version) this.#settled = newest;
    }
    return newest;
  }

  /** @throws EdgeverseError `INVALID_ARGUMENT`, `CONFLICT`, `NOT_FOUND`; nothing has changed then */
  run(command: SettingsCommand, operator: Operator): SettingsResult {
    const present = this.#newest;
    const { expectedVersion, dryRun } = command;
    if (expectedVersion !== undefined && expectedVersion !== present.version)
      throw new EdgeverseError("CONFLICT", `The settings have version ${present.version}, not ${expectedVersion}`, {
        details: { version: present.version },
      });
    const source = command.kind === "rollback-settings" ? command.version : null;
    const document = this.#checked(source === null ? (command as { document: unknown }).document : this.#at(source));
    const changes = changesBetween(present.document, document);
    const changed = changes.length > 0 && !dryRun;
    if (changed) this.#write({ version: present.version + 1, document }, operator, source);
    return { ...(changed ? this.#newest : { version: present.version, document }), changed, changes, dryRun };
  }

  find(version: number): (SettingsVersion & VersionedDocument) | undefined {
    if (version === 0) return { ...NO_DOCUMENT, at: 0, actor: "", requestId: "", from: null };
    const [row] = this.#parts.storage.query<Row>("SELECT * FROM settings WHERE version = ?", version);
    return row === undefined ? undefined : { ...viewOf(row), ...versioned(row) };
  }

  /** Newest first. */
  versions(): SettingsVersion[] {
    return this.#parts.storage
      .query<Row>("SELECT version, at, actor, request_id, source FROM settings ORDER BY version DESC")
      .map(viewOf);
  }

  #at(version: number): SettingsDocument {
    const found = this.find(version);
    if (found !== undefined) return found.document;
    throw new EdgeverseError("NOT_FOUND", `There is no version ${version} of the settings, or it is no longer kept`);
  }

  #checked(given: unknown): SettingsDocument {
    const read = readDocument(given);
    if ("issues" in read)
      throw new EdgeverseError("INVALID_ARGUMENT", `The document does not fit: ${faultOf(read.issues)}`, {
        details: { issues: read.issues.map(({ path, message }) => ({ path: ["document", ...path], message })) },
      });
    try {
      policyOf(this.#parts.settings.configWith(read.document));
    } catch (error) {
      throw new EdgeverseError("INVALID_ARGUMENT", `The document does not fit: ${(error as Error).message}`);
    }
    return read.document;
  }

  #write(next: VersionedDocument, { actor, requestId }: Operator, source: number | null): void {
    const { storage, clock, settings, onChanging } = this.#parts;
    onChanging();
    storage.transaction(() => {
      storage.query(
        "INSERT INTO settings VALUES (?, ?, ?, ?, ?, ?)",
        next.version,
        JSON.stringify(next.document),
        clock.now(),
        actor.slice(0, 256),
        requestId.slice(0, 256),
        source,
      );
      storage.query("DELETE FROM settings WHERE version <= ?", next.version - KEPT);
    });
    this.#newest = next;
    settings.apply(next);
  }
}

function versioned({ version, document }: Row): VersionedDocument {
  return { version, document: JSON.parse(document) as SettingsDocument };
}

function viewOf({ version, at, actor, request_id: requestId, source }: Row): SettingsVersion {
  return { version, at, actor, requestId, from: source };
}
