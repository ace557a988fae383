import type { Clock, SqlStorage } from "../platform/ports.ts";
import { shortened } from "../settings/changes.ts";
import type {
  AdminCommand,
  AuditRow,
  CallCommand,
  EventCommand,
  KeyCommand,
  Operator,
  SettingsCommand,
} from "./commands.ts";
import type { SettingsResult } from "./settings-views.ts";

/** A command as the audit has it; of new settings, what they changed. */
export type Audited = AdminCommand | CallCommand | EventCommand | KeyCommand | AuditedSettings;

interface AuditedSettings {
  readonly kind: SettingsCommand["kind"];
  readonly dryRun: boolean;
}

/** What the audit says of a change of settings. */
export function auditedSettings(
  { kind, dryRun }: SettingsCommand,
  result: SettingsResult | undefined,
): AuditedSettings {
  if (result === undefined) return { kind, dryRun };
  const { version, changed, changes } = result;
  return { kind, dryRun, version, changed, ...shortened(changes, MAX_DETAILS / 2) } as AuditedSettings;
}

const KEPT = 10_000;
const MAX_DETAILS = 8_192;

interface Row {
  readonly [column: string]: string | number | null;
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  readonly request_id: string;
  readonly command: string;
  readonly details: string;
  readonly outcome: string;
}

/** Who ordered what and what came of it: the newest rows, bounded. A dry run changes nothing and leaves none. */
export class Audit {
  readonly #storage: SqlStorage;
  readonly #clock: Clock;

  constructor(storage: SqlStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** @param outcome "done", or the code it was refused with */
  add(command: Audited, { actor, requestId }: Operator, outcome: string): void {
    const { kind, dryRun, ...details } = { dryRun: false, ...command };
    if (dryRun === true) return;
    this.#storage.query(
      "INSERT INTO audit (at, actor, request_id, command, details, outcome) VALUES (?, ?, ?, ?, ?, ?)",
      this.#clock.now(),
      actor.slice(0, 256),
      requestId.slice(0, 256),
      kind,
      JSON.stringify(details).slice(0, MAX_DETAILS),
      outcome,
    );
    this.#storage.query(
      "DELETE FROM audit WHERE seq <= (SELECT seq FROM audit ORDER BY seq DESC LIMIT 1 OFFSET ?)",
      KEPT,
    );
  }

  list({ limit, before }: { readonly limit: number; readonly before?: number | undefined }): AuditRow[] {
    return this.#storage
      .query<Row>(
        "SELECT * FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?",
        before ?? Number.MAX_SAFE_INTEGER,
        limit,
      )
      .map(({ request_id: requestId, ...row }) => ({ ...row, requestId }) as unknown as AuditRow);
  }
}
