import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { emptyFolder, run } from "./machine.ts";

/** A real browser, where one is installed. */
export const CHROMIUM = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find((path) => existsSync(path));

/** As much of an element as the page's script uses. */
class Element {
  textContent: unknown = "";
  click: () => Promise<void> = async () => {};

  addEventListener(_: "click", listener: () => Promise<void>): void {
    this.click = listener;
  }
}

/** The page, with its script run in Node: its calls are real, its elements are not. */
export async function openPage(url: string) {
  const response = await fetch(url);
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const script = /<script type="module">(.*)<\/script>/s.exec(await response.text())?.[1] ?? "";
  const [value, add, problem] = [new Element(), new Element(), new Element()];
  const document = { querySelector: (selector: string) => ({ "#value": value, "#add": add })[selector] ?? problem };
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  const runScript = AsyncFunction("document", "fetch", script);
  await runScript(document, (path: string, init: RequestInit) => fetch(url + path, init));
  return { shown: () => value.textContent, click: () => add.click() };
}

/** The page's elements once a browser has run it. */
export async function shownByChromium(chromium: string, url: string): Promise<string> {
  const profile = emptyFolder("chromium");
  const quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
  const what = [`--user-data-dir=${join(profile, "data")}`, "--virtual-time-budget=5000", "--dump-dom", url];
  try {
    return await run(chromium, [...quiet, ...what], { cwd: profile });
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}
