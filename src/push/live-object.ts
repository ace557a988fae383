import { isLater, type LiveMoment, type LiveState } from "../router/live-views.ts";
import { patchBetween } from "./json-patch.ts";
import type { LiveCopy, LivePatch, Watch } from "./watch.ts";

/** An object that clients of a gate watch: what is known of it here. */
export class LiveObject {
  readonly type: string;
  readonly id: string;
  readonly watches = new Set<Watch>();
  /** How it is; undefined while that is not known, or was forgotten to save memory. */
  copy: LiveCopy | undefined;
  /** When its owner looked at it last. */
  #at: LiveMoment | undefined;
  /** What its owner is to be asked: for the state, or only to be told of what is new. */
  want: "state" | "renewal" | undefined;
  asking = false;
  /** The gate has slept since its owner told how it is: what is late can't be told from what is new. */
  slept = false;
  /** It is to be asked again in a while. */
  retrying = false;
  #serial = 0;
  #known: number | null | undefined;
  /** Questions in a row that were in vain. */
  failures = 0;

  constructor(type: string, id: string) {
    this.type = type;
    this.id = id;
  }

  /** Takes what its owner says. @returns how it is now and how that came of what was before; undefined for what is old */
  take(state: LiveState): { readonly copy: LiveCopy; readonly patch: LivePatch | undefined } | undefined {
    if (this.#at !== undefined && !isLater(state.at, this.#at)) return undefined;
    this.#at = state.at;
    this.slept = false;
    this.#known = state.kind === "gone" ? null : state.version;
    const before = this.copy;
    const next = state.kind === "gone" ? { version: before?.version ?? 0, state: null } : state;
    // Who has that state has this one.
    if (before !== undefined && before.state === next.state) return { copy: before, patch: undefined };
    const copy = { serial: ++this.#serial, version: next.version, state: next.state };
    this.copy = copy;
    if (before === undefined || before.state === null || copy.state === null) return { copy, patch: undefined };
    const text = patchBetween(before.state, copy.state);
    return { copy, patch: text === undefined ? undefined : { from: before, text } };
  }

  /** The version that its owner told last; null: that there is none. Undefined when the gate has slept since. */
  get known(): number | null | undefined {
    return this.#known;
  }

  get size(): number {
    return this.copy?.state?.length ?? 0;
  }
}
