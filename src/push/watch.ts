import type { Connection } from "./connection.ts";
import { goneFrame, patchFrame, stateFrame } from "./live-frames.ts";

/** An object as clients see it; `state` is JSON text, and null: that there is none. */
export interface LiveCopy {
  /** Tells it from those before and after it at this gate. */
  readonly serial: number;
  readonly version: number;
  readonly state: string | null;
}

/** How a copy was made of the one before, for who has that. */
export interface LivePatch {
  readonly from: LiveCopy;
  readonly text: string;
}

/** One object that one client watches: what the client has of it. */
export class Watch {
  readonly connection: Connection;
  /** The client's number for it. */
  readonly id: number;
  /** The client has seen this version elsewhere: an older one is not for it. */
  minimum: number | undefined;
  /** It is to be sent the newest state when the client has read what it was sent. */
  behind = false;
  /** The copy that the client was sent last, by its serial; undefined: none, or it is not known. */
  #sent: number | undefined;

  constructor(connection: Connection, id: number, minimum?: number) {
    this.connection = connection;
    this.id = id;
    this.minimum = minimum;
  }

  /** What is to be sent to the client now that the object is so; undefined for nothing. @param hasRoom false: nothing now */
  frame({ serial, version, state }: LiveCopy, hasRoom: boolean, patch?: LivePatch): string | undefined {
    this.behind = false;
    if (this.#sent === serial || (this.minimum !== undefined && version < this.minimum)) return undefined;
    if (!hasRoom) {
      this.behind = true;
      return undefined;
    }
    const follows = patch !== undefined && patch.from.serial === this.#sent;
    this.minimum = undefined;
    this.#sent = serial;
    if (state === null) return goneFrame(this.id);
    if (follows) return patchFrame(this.id, version, patch.from.version, patch.text);
    return stateFrame(this.id, version, state);
  }
}
