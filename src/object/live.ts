import { type Access, accessFault, type Who } from "../access/access.ts";

/** Who may watch the objects of a class ([PUSH11]): clients with an identity, if it names nothing. */
export interface LiveOptions extends Who {
  /**
   * What of the state they see, for all the same: what it leaves out stays here. Default: all of it. It must not wait for
   * anything, and gives JSON.
   */
  view?(state: unknown): unknown;
}

export type LiveView = (state: unknown) => unknown;

/** What clients see; undefined when it is all. @throws Error saying why it can't be used */
export function liveView(live: LiveOptions | undefined): LiveView | undefined {
  if (live === undefined) return undefined;
  const { view, anonymous, roles, owner, or, ...rest } = live;
  const [unknown] = Object.keys(rest);
  const fault = unknown === undefined ? accessFault(live as Access) : `knows no "${unknown}"`;
  if (fault !== undefined) throw new Error(`its static live ${fault}`);
  if (view === undefined) return undefined;
  if (typeof view !== "function") throw new Error("the view of its static live must be a function");
  return (state) => live.view?.(state);
}
