import type { KeyKeeper } from "../../src/coordinator/api-keys.ts";
import type { Coordinator } from "../../src/coordinator/coordinator.ts";
import type { CoordinatorClient } from "../../src/http/ports.ts";

/** A coordinator of this process as the HTTP interface asks one. */
export function coordinatorPort(coordinator: Coordinator, keys: KeyKeeper): CoordinatorClient {
  return {
    status: async () => coordinator.status(),
    map: async () => coordinator.map(),
    execute: (command, operator) => coordinator.execute(command, operator),
    auditCall: (...args) => coordinator.auditCall(...args),
    view: () => coordinator.view(),
    notes: () => coordinator.notes(),
    moves: (query) => coordinator.moves(query),
    audit: (query) => coordinator.audit(query),
    settings: (version) => coordinator.settings(version),
    settingsVersions: () => coordinator.settingsVersions(),
    newerSettings: (known) => coordinator.newerSettings(known),
    keys,
  };
}
