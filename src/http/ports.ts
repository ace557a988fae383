import type { Identity } from "../access/identity.ts";
import type { Config } from "../config/config.ts";
import type { KeyKeeper } from "../coordinator/api-keys.ts";
import type { CoordinatorAdmin } from "../coordinator/commands.ts";
import type { ClientLimits } from "../limits/client-limits.ts";
import type { Registry } from "../object/registry.ts";
import type { MapDocument } from "../placement/shard-map.ts";
import type { Clock, Random } from "../platform/ports.ts";
import type { GateStatus } from "../push/gate-status.ts";
import type { StreamRequest } from "../push/open-stream.ts";
import type { PushRules } from "../push/push-rules.ts";
import type { Maintenance } from "../reliable/maintenance.ts";
import type { CallLog } from "../reliable/ports.ts";
import type { Connect } from "../router/ports.ts";
import type { Router } from "../router/router.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import type { SettingsFollower } from "../settings/settings-follower.ts";
import type { AdminRoles } from "./admin/roles.ts";
import type { Authenticate } from "./authentication.ts";
import type { Cors } from "./cors.ts";

/** The coordinator as HTTP sees it. Methods reject when it can't be reached. */
export interface CoordinatorClient extends CoordinatorAdmin {
  status(): Promise<{ bootstrapped: boolean; bootstrappedAt: number | null; mapVersion: number }>;
  map(): Promise<MapDocument | undefined>;
  readonly keys: KeyKeeper;
}

/** The settings of this process, of which `config` and `registry` are, and how it hears of newer ones. */
export interface RouterSettings {
  readonly live: LiveSettings;
  readonly follower: SettingsFollower | undefined;
}

/** Who comes to a gate. */
export interface Visitor {
  /** Who it says it is. */
  readonly client: string;
  /** From which client it comes, as limits name it ([LIM2]). */
  readonly origin: string;
}

/** Where clients connect. */
export interface GateDoor {
  readonly names: readonly string[];
  readonly rules: PushRules;
  /** Opens a WebSocket for an identity that may connect. @throws EdgeverseError `OVERLOADED` */
  open(gate: string, identity: Identity | null, from: Visitor): Promise<Response>;
  /** The same for a stream of events: its body. */
  stream(gate: string, identity: Identity | null, wanted: StreamRequest): Promise<Response>;
  /** What a gate says of itself. */
  status(gate: string): Promise<GateStatus>;
}

/** What the HTTP interface is made of; put together in `workers/`. */
export interface HttpParts {
  readonly registry: Registry;
  /** Before every path: `/edge`, or an empty text. */
  readonly basePath: string;
  readonly config: Config;
  readonly settings: RouterSettings;
  readonly router: Router;
  readonly connect: Connect;
  readonly coordinator: CoordinatorClient;
  /** The log in Postgres. Undefined: the log is local. */
  readonly log: CallLog | undefined;
  /** Undefined: no clients connect. */
  readonly gates: GateDoor | undefined;
  readonly maintenance: Maintenance;
  /** Undefined: every client is anonymous. */
  readonly authenticate: Authenticate | undefined;
  /** Limits of clients; undefined without any ([LIM4]). */
  readonly clients?: ClientLimits | undefined;
  /** Which pages may use it; undefined: none of another site ([CORS1]). */
  readonly cors?: Cors | undefined;
  /** Of the role admin. Without any token there is no admin API ([ACC3]). */
  readonly adminToken: string | undefined;
  readonly operatorToken?: string | undefined;
  readonly viewerToken?: string | undefined;
  /** Which identities are operators, by their roles; without it none are. */
  readonly adminRoles?: AdminRoles | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Hears of faults that are ours: never shown to the client. */
  readonly onError: (error: unknown, context: { readonly requestId: string }) => void;
}
