/** Whom a message is for: one client, everyone who listens to a topic, or every client. As text, for rows and messages. */
export type Target = `client ${string}` | `topic ${string}` | "all";

/** The type under which objects send to gates. No object's type has such a name. */
export const GATE_TYPE = "#gate";

export const TO_ALL: Target = "all";

export function toClient(client: string): Target {
  return `client ${client}`;
}

export function toTopic(topic: string): Target {
  return `topic ${topic}`;
}

/** The topic that a message is for, if it is for one. */
export function topicOf(target: string): string | undefined {
  return target.startsWith("topic ") ? target.slice(6) : undefined;
}

/** The client that a message is for, if it is for one. */
export function clientOf(target: string): string | undefined {
  return target.startsWith("client ") ? target.slice(7) : undefined;
}
