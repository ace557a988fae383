import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CallMessage, Reply } from "../../object/message.ts";
import type { ObjectRef } from "../../router/directory.ts";
import { errorReply } from "../turns/error-reply.ts";

/** What carries calls to other partitions. */
export interface Carrier {
  /** The partition that probably has the object. */
  owner(object: ObjectRef): string;
  /** Replies in the order of the messages. */
  batch(messages: readonly CallMessage[]): Promise<Reply[]>;
  call(message: CallMessage): Promise<Reply>;
}

/** A call that waits to leave. */
export interface Waiting {
  /** Made when it leaves, so that what waits takes no memory; undefined when it is not to leave any more. */
  readonly message: () => CallMessage | undefined;
  readonly answered: (reply: Reply) => void;
}

/** Calls in one message, and characters of their requests unless one has more. */
const BATCH = { calls: 100, characters: 1024 * 1024 };
/** Questions for outcomes that are under way to one partition at the same time. */
const QUESTIONS = 16;

interface Destination {
  readonly sends: Waiting[];
  readonly questions: Waiting[];
  sending: boolean;
  asking: number;
}

/**
 * Calls on their way to other partitions, each partition's in a stream of its own: one message of many calls at a time, and few
 * questions for outcomes beside it. A partition that is silent holds up what is for itself, and nothing else.
 */
export class Destinations {
  readonly #carrier: Carrier;
  readonly #destinations = new Map<string, Destination>();

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  /** Sends a call, together with others. */
  send(object: ObjectRef, waiting: Waiting): void {
    const [name, destination] = this.#of(object);
    destination.sends.push(waiting);
    void this.#sendAll(name, destination);
  }

  /** Sends a call whose answer may take its time. */
  ask(object: ObjectRef, waiting: Waiting): void {
    const [name, destination] = this.#of(object);
    destination.questions.push(waiting);
    void this.#askAll(name, destination);
  }

  #of(object: ObjectRef): [string, Destination] {
    const name = this.#carrier.owner(object);
    const known = this.#destinations.get(name) ?? { sends: [], questions: [], sending: false, asking: 0 };
    this.#destinations.set(name, known);
    return [name, known];
  }

  async #sendAll(name: string, destination: Destination): Promise<void> {
    if (destination.sending) return;
    destination.sending = true;
    while (destination.sends.length > 0) {
      const { waiting, messages } = this.#next(destination.sends);
      const replies = messages.length === 0 ? [] : await this.#carrier.batch(messages).catch(failed(messages.length));
      for (const [index, { answered }] of waiting.entries()) answered(replies[index] ?? LOST);
    }
    destination.sending = false;
    this.#forget(name, destination);
  }

  #next(sends: Waiting[]): { waiting: Waiting[]; messages: CallMessage[] } {
    const waiting: Waiting[] = [];
    const messages: CallMessage[] = [];
    let characters = 0;
    let taken = 0;
    for (const each of sends) {
      if (messages.length === BATCH.calls || characters >= BATCH.characters) break;
      taken++;
      const message = made(each);
      if (message === undefined) continue;
      characters += message.request?.length ?? 0;
      waiting.push(each);
      messages.push(message);
    }
    sends.splice(0, taken);
    return { waiting, messages };
  }

  async #askAll(name: string, destination: Destination): Promise<void> {
    if (destination.asking >= QUESTIONS) return;
    destination.asking++;
    for (let next = destination.questions.shift(); next !== undefined; next = destination.questions.shift()) {
      const message = made(next);
      if (message === undefined) continue;
      const [reply] = await this.#carrier.call(message).then((answer) => [answer], failed(1));
      next.answered(reply ?? LOST);
    }
    destination.asking--;
    this.#forget(name, destination);
  }

  #forget(name: string, { sends, questions, sending, asking }: Destination): void {
    if (sends.length + questions.length + asking === 0 && !sending) this.#destinations.delete(name);
  }
}

const LOST: Reply = errorReply(new EdgeverseError("UNAVAILABLE", "The call was not answered"));

/** The message, or none if it can't be made: then its answer is an error. */
function made({ message, answered }: Waiting): CallMessage | undefined {
  try {
    return message();
  } catch (error) {
    answered(errorReply(error));
    return undefined;
  }
}

function failed(count: number): (error: unknown) => Reply[] {
  return (error) => new Array<Reply>(count).fill(errorReply(error));
}
