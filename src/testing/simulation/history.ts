import type { Reply } from "../../object/message.ts";
import type { CallStep, Deed } from "./step.ts";

/** One call of a client, with everything that came back of it, however often it was sent. */
export interface Sent {
  readonly index: number;
  readonly object: string;
  readonly deed: Deed;
  /** The token it adds; the call id too when it is reliable. */
  readonly token: string;
  readonly reliable: boolean;
  readonly to: string;
  readonly step: CallStep;
  /** When it was first sent, as a count of moments. */
  readonly invoked: number;
  readonly replies: { readonly moment: number; readonly reply: Reply }[];
  /** Times a message of it was handed to the network; kept for deletes, whose copies each delete. */
  copies: number;
}

/** What clients did and heard, in order. */
export class History {
  readonly sent: Sent[] = [];
  #moment = 0;

  begin(step: CallStep): Sent {
    const index = this.sent.length;
    const { object, deed, reliable, to } = step;
    const entry: Sent = {
      index,
      object,
      deed,
      token: `t${index}`,
      reliable,
      to,
      step,
      invoked: this.moment(),
      replies: [],
      copies: 0,
    };
    this.sent.push(entry);
    return entry;
  }

  moment(): number {
    return this.#moment++;
  }
}
