import { connect, type Socket } from "node:net";
import { ResponseReader } from "./response-reader.ts";

export interface ConnectionEvents {
  /** The bytes to send next, or undefined to end the connection. */
  next(): Buffer | undefined;
  answered(milliseconds: number): void;
  failed(why: string): void;
  closed(): void;
}

/** One keep-alive connection with one request under way at a time, on a receive buffer of its own that is never given away. */
export function openConnection(port: number, events: ConnectionEvents): Socket {
  let sentAt = 0;
  let waiting = false;
  const send = () => {
    const request = events.next();
    waiting = request !== undefined;
    if (request === undefined) return void socket.end();
    sentAt = performance.now();
    socket.write(request);
  };
  const reader = new ResponseReader((status, response) => {
    if (status < 200 || status > 299) return events.failed(`${status}: ${response.toString("latin1", 0, 1_000)}`);
    events.answered(performance.now() - sentAt);
    send();
  });
  const socket = connect({
    host: "127.0.0.1",
    port,
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(64 * 1024),
      callback: (size, buffer) => {
        reader.read((buffer as Buffer).subarray(0, size));
        return true;
      },
    },
  });
  socket.once("connect", send);
  socket.once("error", (error) => events.failed(String(error)));
  socket.once("close", () => {
    if (waiting) events.failed("the server closed a connection instead of answering");
    events.closed();
  });
  return socket;
}
