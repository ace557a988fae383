import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { clientMessage, FrameReader } from "./frame-reader.ts";

export interface ClientSocket {
  send(text: string): void;
  end(): void;
}

/** All sockets read into this, one after the other: what is read is taken at once. */
const buffer = Buffer.allocUnsafeSlow(256 * 1024);
const HEAD_END = "\r\n\r\n";

/** Opens a WebSocket that does as little as possible. It rejects, or fails later, when the server ends it. */
export function openSocket(
  port: number,
  path: string,
  received: (text: string, socket: ClientSocket) => void,
  failed: (why: string) => void,
): Promise<ClientSocket> {
  return new Promise((resolve, reject) => {
    let open = false;
    let ended = false;
    const fail = (why: string) => {
      if (ended) return;
      ended = true;
      raw.destroy();
      if (open) failed(why);
      else reject(new Error(why));
    };
    const client: ClientSocket = {
      send: (text) => void raw.write(clientMessage(text)),
      end: () => {
        ended = true;
        raw.destroy();
      },
    };
    const frames = new FrameReader({
      text: (text) => received(text, client),
      closed: (code) => fail(`the server closed a WebSocket with ${code}`),
    });
    let head = "";
    const take = (bytes: Buffer) => {
      if (open) {
        frames.read(bytes);
        return;
      }
      head += bytes.toString("latin1");
      const end = head.indexOf(HEAD_END);
      if (end < 0) return;
      if (!head.startsWith("HTTP/1.1 101")) throw new Error(`No WebSocket: ${head.slice(0, 1_000)}`);
      open = true;
      resolve(client);
      frames.read(Buffer.from(head.slice(end + HEAD_END.length), "latin1"));
    };
    const callback = (size: number) => {
      try {
        take(buffer.subarray(0, size));
      } catch (error) {
        fail(String(error));
      }
      return true;
    };
    const raw = connect({ host: "127.0.0.1", port, noDelay: true, onread: { buffer, callback } });
    raw.once("connect", () => void raw.write(upgrade(port, path)));
    raw.once("error", (error) => fail(String(error)));
    raw.once("close", () => fail("the server ended a connection"));
  });
}

/** Opens many, a few at a time. */
export async function openSockets(count: number, open: () => Promise<ClientSocket>): Promise<ClientSocket[]> {
  const sockets: ClientSocket[] = [];
  const some = async () => {
    for (; started < count; ) {
      started++;
      sockets.push(await open());
    }
  };
  let started = 0;
  await Promise.all(Array.from({ length: 20 }, some));
  return sockets;
}

function upgrade(port: number, path: string): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    "Sec-WebSocket-Protocol: edgeverse.v1",
  ];
  return `${lines.join("\r\n")}${HEAD_END}`;
}
