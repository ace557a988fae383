import type { CallMessage, Reply } from "../object/message.ts";
import type { Registry } from "../object/registry.ts";
import type { Clock, Random, SqlStorage } from "../platform/ports.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import type { AskSettings } from "../settings/settings-follower.ts";
import type { CallTaker } from "./client-calls.ts";
import type { DisconnectCall } from "./farewells.ts";
import type { LiveSource } from "./ports.ts";
import type { PresencePeers } from "./presence-note.ts";
import type { PushRules } from "./push-rules.ts";
import type { Identify } from "./renewal.ts";

/** What a gate is made of. */
export interface GateOptions {
  /** Undefined where the platform does not say it: an older gate has stored it. */
  readonly name: string | undefined;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly random: Random;
  /** What is stored of a session's secret; default: its SHA-256. */
  readonly hash?: ((secret: string) => Promise<string>) | undefined;
  readonly rules: PushRules;
  readonly config: {
    /** Ms that a session outlasts its connection. */
    readonly pushResume: number;
    /** Bytes of the log. */
    readonly pushLog: number;
    /** Sessions that the gate has at most. */
    readonly gateClients: number;
    /** Frames a client may send per second. */
    readonly clientFrames: number;
    /** Connections that one client may have here. */
    readonly clientConnections: number;
    readonly maxMessage: number;
    readonly callTimeout: number;
    readonly maxCallTimeout: number;
  };
  /** Takes the calls of clients to partitions. */
  readonly calls: CallTaker;
  /** For whom a fresh token of a client speaks. */
  readonly identify: Identify;
  /** Keeps the process in memory until the work is done. */
  readonly hold: (work: Promise<unknown>) => void;
  /** Of these is `config`: it changes with them. Without them it never does. */
  readonly settings?: LiveSettings;
  /** Settings newer than those that it has, for a gate that is new. */
  readonly askSettings?: AskSettings;
  readonly registry: Registry;
  readonly live: LiveSource;
  /** All gates, this one among them. */
  readonly gates: PresencePeers;
  /** Makes a reliable call of an object. */
  readonly call: (message: CallMessage) => Promise<Reply>;
  /** What hears that a client's session has ended. */
  readonly disconnect: DisconnectCall | undefined;
  readonly warn: (event: string, details: Readonly<Record<string, unknown>>) => void;
  /** What it wrote is lost: this gate is to be made again from what its storage has. */
  readonly onLost: (error: unknown) => void;
}
