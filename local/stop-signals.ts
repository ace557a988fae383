const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Calls `stop` at the first signal to end and `stopAtOnce` at a second SIGINT: who presses Ctrl-C twice doesn't want to wait. */
export function onStopSignals({ stop, stopAtOnce }: { stop(): void; stopAtOnce(): void }): void {
  let stopping = false;
  for (const signal of SIGNALS)
    process.on(signal, () => {
      if (stopping) {
        if (signal === "SIGINT") stopAtOnce();
        return;
      }
      stopping = true;
      stop();
    });
}
