import * as z from "zod";

/** Messages of a turn to connected clients: they commit with it ([PUSH4]). */
export interface ClientMessages {
  push(client: string, message: unknown): void;
  publish(topic: string, message: unknown): void;
  broadcast(message: unknown): void;
}

/** What the method that hears of a client's end gets: the request of `method({ internal: true, request: clientGone })`. */
export const clientGone = z.object({
  client: z.string(),
  /** Null for a client that was anonymous. */
  identity: z
    .object({
      id: z.string(),
      roles: z.array(z.string()),
      claims: z.record(z.string(), z.unknown()).optional(),
    })
    .nullable(),
});
