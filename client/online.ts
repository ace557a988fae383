type Target = {
  readonly [Name in "addEventListener" | "removeEventListener"]?: (name: string, run: () => void) => void;
};

/** Pages are told when the network is back. @returns stops it */
export function onOnline(run: () => void): () => void {
  const target = globalThis as Target;
  target.addEventListener?.("online", run);
  return () => target.removeEventListener?.("online", run);
}
