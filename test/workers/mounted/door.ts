import { method, VirtualObject } from "edgeverse";
import { z } from "zod";

let open = () => {};

/** A call of `hold` ends when another object of its process is told to open. */
export class Door extends VirtualObject.withState(z.object({ passed: z.number().default(0) })) {
  static override readonly type = "Door";
  static override readonly methods = { hold: method(), pass: method(), open: method(), passed: method() };

  hold() {
    return new Promise<void>((resolve) => {
      open = resolve;
    });
  }

  pass() {
    return ++this.state.passed;
  }

  open() {
    open();
  }

  passed() {
    return this.state.passed;
  }
}
