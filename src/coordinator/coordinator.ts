import { isPartitionName, MAX_SHARDS } from "../identity/object-id.ts";
import type { Genesis, MapDocument } from "../placement/shard-map.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";

export interface CoordinatorStatus {
  readonly founded: boolean;
  readonly foundedAt: number | null;
  readonly mapVersion: number;
}

/**
 * Holds the shard map. It is asked when a partition is new and when an operator looks, never on the path of a call
 * ([OWN3]). The first proposal it hears founds the cluster; later ones change nothing.
 */
export class Coordinator {
  readonly #storage: SqlStorage;
  readonly #clock: Clock;

  constructor(storage: SqlStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
    storage.query(
      "CREATE TABLE IF NOT EXISTS map (version INTEGER PRIMARY KEY, document TEXT NOT NULL, at INTEGER NOT NULL)",
    );
  }

  /** @throws Error when the proposal is malformed */
  found(proposal: Genesis): Genesis {
    const present = this.map();
    if (present !== undefined) return present.genesis;
    check(proposal);
    const document: MapDocument = { version: 1, genesis: proposal, exceptions: [] };
    this.#storage.query("INSERT INTO map VALUES (1, ?, ?)", JSON.stringify(document), this.#clock.now());
    return proposal;
  }

  /** The newest map; undefined before the cluster was founded. */
  map(): MapDocument | undefined {
    const rows = this.#storage.query<{ document: string }>("SELECT document FROM map ORDER BY version DESC LIMIT 1");
    return rows[0] === undefined ? undefined : (JSON.parse(rows[0].document) as MapDocument);
  }

  status(): CoordinatorStatus {
    const rows = this.#storage.query<{ version: number; at: number }>(
      "SELECT max(version) AS version, min(at) AS at FROM map HAVING count(*) > 0",
    );
    return { founded: rows[0] !== undefined, foundedAt: rows[0]?.at ?? null, mapVersion: rows[0]?.version ?? 0 };
  }
}

function check({ shards, members }: Genesis): void {
  const names = new Set(members.map((member) => member.name));
  const fine =
    Number.isInteger(shards) &&
    shards >= 1 &&
    shards <= MAX_SHARDS &&
    (shards & (shards - 1)) === 0 &&
    members.length > 0 &&
    names.size === members.length &&
    members.every((member) => isPartitionName(member.name) && member.weight > 0);
  if (!fine) throw new Error("Cannot found a cluster on a malformed proposal");
}
