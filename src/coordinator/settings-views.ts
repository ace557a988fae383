import type { Change } from "../settings/changes.ts";
import type { VersionedDocument } from "../settings/document.ts";
import type { Confirmation } from "../settings/live-settings.ts";

/** What a command made of the settings. */
export interface SettingsResult extends VersionedDocument {
  /** Whether there is a new version. */
  readonly changed: boolean;
  readonly changes: readonly Change[];
  readonly dryRun: boolean;
}

/** One version, without its document. */
export interface SettingsVersion {
  readonly version: number;
  /** Ms since the epoch. */
  readonly at: number;
  readonly actor: string;
  readonly requestId: string;
  /** The version whose document it has, where an operator went back. */
  readonly from: number | null;
}

/** The gates, as the coordinator tells them of settings. */
export interface GateSettings {
  readonly names: readonly string[];
  configure(gate: string, offer: VersionedDocument): Promise<Confirmation>;
}

/** What a process has said of the settings. */
export interface SettingsReceipt {
  readonly kind: "partition" | "gate";
  readonly name: string;
  /** The newest that it was given, and the one that it goes by. 0: none. */
  readonly seen: number;
  readonly version: number;
  /** Why it does not go by the newest. */
  readonly fault: string | null;
  /** Why it has not said anything of the newest. */
  readonly trouble: string | null;
}
