import type { Clock, SqlStorage } from "../platform/ports.ts";
import { within } from "../platform/within.ts";
import type { Connect } from "../router/ports.ts";
import type { VersionedDocument } from "../settings/document.ts";
import type { Confirmation } from "../settings/live-settings.ts";
import type { ClusterMap } from "./cluster-map.ts";
import type { SettingsDesk } from "./settings-desk.ts";
import type { GateSettings, SettingsReceipt } from "./settings-views.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly map: ClusterMap;
  readonly connect: Connect;
  readonly gates: GateSettings | undefined;
  readonly desk: Pick<SettingsDesk, "newest" | "settle">;
  /** Nobody is asked any more for now. */
  readonly onPause: () => void;
}

interface Row {
  readonly [column: string]: string | number | null;
  readonly name: string;
  readonly kind: "partition" | "gate";
  readonly seen: number;
  readonly version: number;
  readonly fault: string | null;
}

interface Trouble {
  readonly since: number;
  readonly delay: number;
  readonly at: number;
  readonly text: string;
}

type Target = Pick<Row, "name" | "kind">;

/** Processes that are told at the same time. */
const AT_ONCE = 64;
/** Ms that one may take to answer. */
const ANSWER_WITHIN = 2_000;
/** Ms to the next try of one that has not answered, each twice the one before up to a longest; and once it has been silent for long. */
const AGAIN = { first: 250, longest: 2_000, silent: 60_000 };
/** Ms after which one counts as silent. */
const SILENT_AFTER = 600_000;

/**
 * Tells every partition and gate of the newest settings until each has confirmed them ([CONF4]). While all have, there is
 * nothing to do: no timer, no alarm, no message.
 *
 * | a process is | and | then |
 * |---|---|---|
 * | behind | nothing is under way | it is told, once what it is told is durable |
 * | behind | it has answered with what it has seen | the greater of that and what is known of it is kept |
 * | behind | it has not answered | it is told again, later each time |
 * | not behind | it can't use the document | nothing: it has said why, and tries again when it has other code |
 */
export class SettingsSpread {
  readonly #parts: Parts;
  readonly #receipts = new Map<string, Row>();
  readonly #troubles = new Map<string, Trouble>();
  readonly #asked = new Set<string>();
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    for (const row of parts.storage.query<Row>("SELECT kind, name, seen, version, fault FROM settings_receipts"))
      this.#receipts.set(keyOf(row), row);
  }

  /** When somebody is to be told, ms since the epoch; undefined: nobody is. */
  get due(): number | undefined {
    const { clock } = this.#parts;
    // Should this process end while they are asked, the next one asks again.
    const times = this.#behind().map((target) =>
      this.#asked.has(keyOf(target)) ? clock.now() + ANSWER_WITHIN : this.#at(target),
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }

  receipts(): SettingsReceipt[] {
    return this.#targets().map(({ kind, name }) => {
      const { seen = 0, version = 0, fault = null } = this.#receipts.get(keyOf({ kind, name })) ?? {};
      const trouble = this.#troubles.get(keyOf({ kind, name }))?.text ?? null;
      return { kind, name, seen, version, fault, trouble };
    });
  }

  /** Tells those whose time has come. */
  go(): void {
    const now = this.#parts.clock.now();
    for (const target of this.#behind()) {
      if (this.#asked.size >= AT_ONCE) return;
      if (!this.#asked.has(keyOf(target)) && this.#at(target) <= now) void this.#tell(target);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #tell(target: Target): Promise<void> {
    const { clock, desk } = this.#parts;
    const key = keyOf(target);
    this.#asked.add(key);
    try {
      // A number that is lost in a crash is given out again, with another document.
      const offer = await desk.settle();
      const late = () => new Error(`it did not answer within ${ANSWER_WITHIN} ms`);
      const confirmation = await within(clock, ANSWER_WITHIN, this.#send(target, offer), late);
      if (this.#stopped) return;
      this.#note(target, confirmation);
      this.#troubles.delete(key);
    } catch (error) {
      const now = clock.now();
      const before = this.#troubles.get(key);
      const since = before?.since ?? now;
      const next = before === undefined ? AGAIN.first : Math.min(before.delay * 2, AGAIN.longest);
      const delay = now - since < SILENT_AFTER ? next : AGAIN.silent;
      const text = (error instanceof Error ? error.message : String(error)).slice(0, 256);
      this.#troubles.set(key, { since, delay, at: now + delay, text });
    }
    this.#asked.delete(key);
    if (this.#stopped) return;
    this.go();
    if (this.#asked.size === 0) this.#parts.onPause();
  }

  async #send({ kind, name }: Target, offer: VersionedDocument): Promise<Confirmation> {
    const { connect, gates } = this.#parts;
    if (kind === "partition") return connect(name).configure(offer);
    return (gates as GateSettings).configure(name, offer);
  }

  /** Answers may overtake each other. */
  /** Answers may overtake each other. */
  #note({ kind, name }: Target, { seen, version, fault }: Confirmation): void {
    const known = this.#receipts.get(keyOf({ kind, name }));
    if (known !== undefined && known.seen >= seen) return;
    const row: Row = { kind, name, seen, version, fault: fault ?? null };
    this.#receipts.set(keyOf(row), row);
    this.#parts.storage.query(
      `INSERT INTO settings_receipts VALUES (?1, ?2, ?3, ?4, ?5)
       ON CONFLICT (kind, name) DO UPDATE SET seen = ?3, version = ?4, fault = ?5`,
      kind,
      name,
      seen,
      version,
      row.fault,
    );
  }

  #behind(): Target[] {
    const { version } = this.#parts.desk.newest;
    return this.#targets().filter((target) => (this.#receipts.get(keyOf(target))?.seen ?? 0) < version);
  }

  #at(target: Target): number {
    return this.#troubles.get(keyOf(target))?.at ?? this.#parts.clock.now();
  }

  #targets(): Target[] {
    const { map, gates } = this.#parts;
    const partitions = map.members.map(({ name }) => ({ kind: "partition" as const, name }));
    return [...partitions, ...(gates?.names ?? []).map((name) => ({ kind: "gate" as const, name }))];
  }
}

function keyOf({ kind, name }: Target): string {
  return `${kind} ${name}`;
}
