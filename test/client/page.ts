import { createElement } from "react";
// @ts-expect-error: no types of it are installed
import { createRoot } from "react-dom/client";
import type { Client } from "../../client/index.ts";
import { useObject } from "../../client/react.ts";
import type { Room } from "./app/room.ts";
import { type Meet, scenario } from "./scenario.ts";

declare const document: { cookie: string; readonly body: { readonly textContent: string } };

function Shown({ client, name }: { readonly client: Client<typeof Room>; readonly name: string }) {
  const { status, state } = useObject(client, "Room", name);
  return createElement("p", null, `${status} ${state?.said.length}`);
}

/** What a browser's own EventSource gets of a topic, with nothing but the address. It sends cookies, and no headers. */
function listen(url: string, name: string) {
  document.cookie = `user=${name}`;
  const source = new EventSource(`${url}/api/v1/events/stream?topics=room/${name}`);
  const numbers: number[] = [];
  let sessions = 0;
  let gaps = 0;
  let onEvent = () => {};
  source.onmessage = ({ data }: MessageEvent) => {
    const frame = JSON.parse(data as string) as { kind: string; resumed: boolean; data: { number: number } };
    if (frame.kind === "welcome" && !frame.resumed) sessions++;
    if (frame.kind === "message") numbers.push(frame.data.number);
    if (frame.kind === "gap") gaps++;
    onEvent();
  };
  const until = (is: () => boolean) =>
    new Promise<void>((resolve) => {
      onEvent = () => is() && resolve();
      onEvent();
    });
  return {
    opened: until(() => sessions > 0),
    async end() {
      await until(() => numbers.length >= 5);
      source.close();
      return { numbers, sessions, gaps };
    },
  };
}

/** The scenario on a page that shows its room with React, and also listens to it without our client. */
export async function page(url: string, name: string, meet: Meet): Promise<Record<string, unknown>> {
  const events = listen(url, name);
  await events.opened;
  const seen = await scenario(url, name, meet, (client) => {
    createRoot(document.body).render(createElement(Shown, { client, name }));
    return () => document.body.textContent;
  });
  return { ...seen, events: await events.end() };
}
