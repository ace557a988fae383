/** A server under load. */
export interface Server {
  readonly port: number;
  readonly workerdPid: number;
  stop(): Promise<void>;
}
