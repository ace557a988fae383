import { request } from "node:http";
import type { ScheduledRequest } from "./worker/control.ts";

/** Runs the worker's `scheduled` handler through the host's private socket; rejects with what the handler threw, its stack as the message. */
export function fireScheduled(socketPath: string, scheduled: ScheduledRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: "POST", path: "/", agent: false }, async (response) => {
      let body = "";
      try {
        for await (const chunk of response.setEncoding("utf8")) body += chunk;
      } catch (error) {
        return reject(error as Error);
      }
      if (response.statusCode === 200) resolve();
      else reject(new Error(body));
    });
    sent.on("error", reject);
    sent.end(JSON.stringify(scheduled));
  });
}
