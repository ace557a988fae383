import type { Genesis } from "../placement/shard-map.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import type { Connect } from "../router/ports.ts";
import type { VersionedDocument } from "../settings/document.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import type { Revoker } from "./revocations.ts";
import type { GateSettings } from "./settings-views.ts";

/** What a new partition begins with; without settings nobody has changed any. */
export interface Bootstrapped {
  readonly genesis: Genesis;
  readonly shards: number;
  readonly settings?: VersionedDocument;
}

export interface CoordinatorOptions {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly connect: Connect;
  /** What it plans by, and what operators change while it runs. */
  readonly settings: LiveSettings;
  /** Undefined: clients do not connect. */
  readonly gates?: (GateSettings & Revoker) | undefined;
  /** The genesis of a cluster that an operator changes before its first call; without it such a change is refused. */
  readonly proposal?: Genesis;
  readonly warn: (event: string, details: Readonly<Record<string, unknown>>) => void;
}
