import { applyPatch, type Operation } from "rfc6902";

/** Frames of live state as a client gets them. */
interface LiveFrame {
  readonly kind: string;
  readonly version?: number;
  readonly from?: number;
  readonly state?: unknown;
  readonly patch?: Operation[];
  readonly error?: { readonly code: string };
}

/** What a client has of an object that it watches. */
export class TestWatch<State = unknown> {
  /** The object's state; undefined while nothing has come, and when there is no such object. */
  state: State | undefined;
  /** Grows with every change, while the object lives. */
  version: number | undefined;
  /** Whether there is no such object. */
  gone = false;
  /** Why it watches no more. */
  refused: string | undefined;
  /** What has come: `state`, `patch` or `gone`. */
  readonly came: string[] = [];
  /** @internal */
  readonly type: string;
  /** @internal */
  readonly id: string;

  /** @internal */
  constructor(type: string, id: string) {
    this.type = type;
    this.id = id;
  }

  /** @internal */
  take({ kind, version, from, state, patch = [], error }: LiveFrame): void {
    if (kind === "result") {
      this.refused = error?.code;
      return;
    }
    this.came.push(kind);
    this.gone = kind === "gone";
    if (kind === "gone") this.state = undefined;
    if (kind === "state") this.state = state as State;
    if (kind === "patch") {
      if (from !== this.version) throw new Error(`a patch of version ${from} came to version ${this.version}`);
      const document = { state: structuredClone(this.state) };
      const faults = applyPatch(
        document,
        patch.map((step) => ({ ...step, path: `/state${step.path}` })),
      );
      const fault = faults.find((found) => found !== null);
      if (fault !== undefined) throw new Error(`a patch can't be applied: ${fault.message}`);
      this.state = document.state as State;
    }
    this.version = version ?? this.version;
  }
}
