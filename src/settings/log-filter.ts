import type { LiveSettings } from "./live-settings.ts";

/** Says which lines are logged. Without chance: of the lines of one event, every so many. */
export class LogFilter {
  readonly #settings: Pick<LiveSettings, "log">;
  /** What the lines of an event have gathered towards one that is written. There are as many as the code has events. */
  readonly #shares = new Map<string, number>();

  constructor(settings: Pick<LiveSettings, "log">) {
    this.#settings = settings;
  }

  admits(level: "warn" | "error", event: string): boolean {
    const { level: least, sampling } = this.#settings.log;
    if (least === "off" || (least === "error" && level === "warn")) return false;
    if (sampling === 1) return true;
    // The first line of an event is always written.
    const share = (this.#shares.get(event) ?? 1 - sampling) + sampling;
    const written = share >= 1 - 1e-9;
    this.#shares.set(event, written ? share - 1 : share);
    return written;
  }
}
