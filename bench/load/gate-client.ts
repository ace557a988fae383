import { type ClientSocket, openSocket } from "./socket.ts";

/** Where the sockets of a host are. */
export const GATE_PATH = "/api/v1/events/socket";

/** A client of a gate that has said hello, and listens to the topic if there is one. */
export function openClient(
  port: number,
  topic: string | undefined,
  received: (text: string, socket: ClientSocket) => void,
  failed: (why: string) => void,
): Promise<ClientSocket> {
  return new Promise((resolve, reject) => {
    let ready = false;
    let welcome = false;
    let subscribed = topic === undefined;
    const take = (text: string, socket: ClientSocket) => {
      if (ready) return received(text, socket);
      welcome ||= text.includes('"kind":"welcome"');
      subscribed ||= text.includes('"kind":"subscribed"');
      ready = welcome && subscribed;
      if (ready) resolve(socket);
    };
    const fail = (why: string) => (ready ? failed(why) : reject(new Error(why)));
    openSocket(port, GATE_PATH, take, fail).then(
      (socket) => socket.send(JSON.stringify({ kind: "hello", ...(topic === undefined ? {} : { topics: [topic] }) })),
      reject,
    );
  });
}

/** Ends the session, so that the gate keeps nothing of it. */
export function leave(socket: ClientSocket): void {
  socket.send('{"kind":"leave"}');
}
