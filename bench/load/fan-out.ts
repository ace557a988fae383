import { Count } from "./count.ts";
import { leave, openClient } from "./gate-client.ts";
import type { FanOutPlan, Job, JobResult } from "./job.ts";
import { type ClientSocket, openSocket, openSockets } from "./socket.ts";

/** Where the sockets of the bare worker are. */
const BARE_PATH = "/socket";
const NUMBER = '"number":';
const FAILED = '"error":';

/** One message after the other to many clients; each that a client has got counts. @throws Error when a connection fails */
export async function fanOut(job: Job, plan: FanOutPlan): Promise<JobResult> {
  const { port, connections } = job;
  const { promise: failure, reject } = Promise.withResolvers<never>();
  const failed = (why: string) => reject(new Error(why));
  failure.catch(() => {});
  const room = new Room(plan, failed);
  const received = (text: string, socket: ClientSocket) => room.received(text, socket);
  const open = () =>
    plan.topic === undefined
      ? openSocket(port, BARE_PATH, received, failed)
      : openClient(port, plan.topic, received, failed);
  const sockets = await Promise.race([openSockets(connections, open), failure]);
  const count = new Count(job);
  await Promise.race([room.run(sockets, count), failure]);
  if (plan.topic !== undefined) sockets.forEach(leave);
  for (const socket of sockets) socket.end();
  return count.result();
}

interface Flight {
  readonly from: ClientSocket;
  readonly sentAt: number;
  /** Clients that have yet to get it. */
  missing: number;
}

/** What a client has got and not acknowledged. */
interface Owed {
  messages: number;
  seen: number;
  timer: NodeJS.Timeout | undefined;
}

/** All clients, and the messages that are on their way to them. */
class Room {
  readonly #plan: FanOutPlan;
  readonly #failed: (why: string) => void;
  readonly #flights = new Map<number, Flight>();
  readonly #owed = new Map<ClientSocket, Owed>();
  readonly #done = Promise.withResolvers<void>();
  #clients = 0;
  #count: Count | undefined;
  #last = 0;

  constructor(plan: FanOutPlan, failed: (why: string) => void) {
    this.#plan = plan;
    this.#failed = failed;
  }

  /** Resolves when the time is over and nothing is on its way. */
  run(sockets: readonly ClientSocket[], count: Count): Promise<void> {
    this.#clients = sockets.length;
    this.#count = count;
    for (const socket of sockets.slice(0, this.#plan.speakers)) this.#say(socket);
    return this.#done.promise;
  }

  received(text: string, socket: ClientSocket): void {
    if (text.includes(FAILED)) this.#failed(text);
    const now = performance.now();
    let messages = 0;
    for (let at = text.indexOf(NUMBER); at >= 0; at = text.indexOf(NUMBER, at + 1)) {
      messages++;
      this.#arrived(numberAt(text, at + NUMBER.length), now);
    }
    if (this.#plan.acknowledge !== undefined && messages > 0) this.#owe(text, socket, messages, this.#plan.acknowledge);
  }

  #say(from: ClientSocket): void {
    const number = ++this.#last;
    this.#flights.set(number, { from, sentAt: performance.now(), missing: this.#clients });
    from.send(this.#plan.say.replaceAll("#", String(number)));
  }

  #arrived(number: number, now: number): void {
    const flight = this.#flights.get(number);
    if (flight === undefined) {
      this.#failed(`Message ${number} came once too often`);
      return;
    }
    this.#count?.answered(now - flight.sentAt);
    if (--flight.missing > 0) return;
    this.#flights.delete(number);
    if (this.#count?.isOver === false) this.#say(flight.from);
    else if (this.#flights.size === 0) this.#done.resolve();
  }

  /** The newest message of a text is the last one. */
  #owe(text: string, socket: ClientSocket, messages: number, { every, after }: Acknowledge): void {
    const owed = this.#owed.get(socket) ?? { messages: 0, seen: 0, timer: undefined };
    this.#owed.set(socket, owed);
    owed.messages += messages;
    owed.seen = numberAt(text, text.lastIndexOf('"n":') + 4);
    const send = () => {
      clearTimeout(owed.timer);
      owed.timer = undefined;
      owed.messages = 0;
      socket.send(`{"kind":"ack","seen":${owed.seen}}`);
    };
    if (owed.messages >= every) send();
    else if (after !== undefined) owed.timer ??= setTimeout(send, after);
  }
}

type Acknowledge = NonNullable<FanOutPlan["acknowledge"]>;

function numberAt(text: string, at: number): number {
  return Number.parseInt(text.slice(at, at + 12), 10);
}
