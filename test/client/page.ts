import { createElement } from "react";
// @ts-expect-error: no types of it are installed
import { createRoot } from "react-dom/client";
import type { Client } from "../../client/index.ts";
import { useObject } from "../../client/react.ts";
import type { Room } from "./app/room.ts";
import { type Meet, scenario } from "./scenario.ts";

declare const document: { readonly body: { readonly textContent: string } };

function Shown({ client, name }: { readonly client: Client<typeof Room>; readonly name: string }) {
  const { status, state } = useObject(client, "Room", name);
  return createElement("p", null, `${status} ${state?.said.length}`);
}

/** The scenario on a page that shows its room with React. */
export function page(url: string, name: string, meet: Meet): Promise<Record<string, unknown>> {
  return scenario(url, name, meet, (client) => {
    createRoot(document.body).render(createElement(Shown, { client, name }));
    return () => document.body.textContent;
  });
}
