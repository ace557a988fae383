import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { examplePages, TARGET } from "../../scripts/pages.ts";
import { cleanUp, spawnHost, temporaryFolder, until } from "../local/host-process.ts";
import { CHROMIUM } from "../package/page.ts";
import { freePort } from "../support/free-port.ts";

const WORKER = ["--config", join(import.meta.dirname, "../../wrangler.toml"), "--no-postgres"];

test("what the host serves is what the files of the examples' pages and the client are: npm run pages", async () => {
  expect(readFileSync(TARGET, "utf8")).toBe(await examplePages());
});

describe.runIf(CHROMIUM !== undefined)("the examples' pages, in two browsers", () => {
  const env = { EDGEVERSE_DATA: temporaryFolder() };
  let url: string;
  let port: number;
  let host: ReturnType<typeof spawnHost>;
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  /** What the browsers' consoles say, and what they refuse to load. */
  const complaints: string[] = [];

  async function start() {
    host = spawnHost({ ...env, PORT: String(port) }, ["--json"], WORKER);
    url = (await host.ready()).url;
  }

  beforeAll(async () => {
    port = await freePort();
    await start();
    browser = await chromium.launch({ executablePath: CHROMIUM as string, args: ["--no-sandbox", "--disable-gpu"] });
    contexts.push(await browser.newContext(), await browser.newContext());
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await cleanUp();
  });

  /** The same page in both browsers, or in so many. */
  async function open(path: string, browsers = 2): Promise<[Page, Page]> {
    const pages = await Promise.all(
      contexts.slice(0, browsers).map(async (context) => {
        const page = await context.newPage();
        page.on("console", (message) => {
          if (["error", "warning"].includes(message.type())) complaints.push(message.text());
        });
        page.on("pageerror", (error) => complaints.push(String(error)));
        await page.goto(`${url}/examples/${path}`);
        await shows(page, "#status", "open");
        return page;
      }),
    );
    return pages as [Page, Page];
  }

  const textOf = async (page: Page, selector: string) => (await page.textContent(selector)) ?? "";
  const shows = (page: Page, selector: string, text: string | RegExp) =>
    page.locator(selector).filter({ hasText: text }).waitFor();
  const submit = async (page: Page, form: string, values: Readonly<Record<string, string>>) => {
    for (const [name, value] of Object.entries(values)) await page.fill(`${form} [name=${name}]`, value);
    await page.click(`${form} button`);
  };
  const shot = async (page: Page, name: string) => {
    const folder = process.env["EDGEVERSE_SCREENSHOTS"];
    if (folder === undefined) return;
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [1_000, 390]) {
        await page.setViewportSize({ width, height: 800 });
        await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`) });
      }
    }
  };

  test("the list of examples leads to each", async () => {
    const page = await (contexts[0] as BrowserContext).newPage();
    await page.goto(`${url}/examples`);
    expect(await page.locator("main li a").allTextContents()).toEqual(["Chat", "Tic-tac-toe", "Auction"]);
    await shot(page, "index");
    for (const name of ["chat", "tic-tac-toe", "auction"]) {
      const answer = await fetch(`${url}/examples/${name}`);
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(await answer.text()).toContain("<main>");
    }
    for (const [path, method] of [
      ["constructor", "GET"],
      ["none.js", "GET"],
      ["chat", "POST"],
    ] as const)
      expect((await fetch(`${url}/examples/${path}`, { method })).status, path).toBe(404);
  });

  test("tic-tac-toe: a game to its end, which both see", { timeout: 60_000 }, async () => {
    const [ann, bob] = await open("tic-tac-toe?game=g1");
    await submit(ann, "#join", { name: "ann" });
    await shows(bob, "#players", "X: ann");
    await submit(bob, "#join", { name: "bob" });
    for (const [move, cell] of [0, 3, 1, 4, 2].entries()) {
      const page = move % 2 === 0 ? ann : bob;
      await shows(page, "#turn", "Your turn");
      if (move === 3) await shot(page, "tic-tac-toe");
      await page.locator("#board button").nth(cell).click();
    }
    await shows(ann, "#turn", "You have won");
    await shows(bob, "#turn", "ann has won");
    expect(await bob.locator("#board button").allTextContents()).toEqual(["X", "X", "X", "O", "O", "", "", "", ""]);
    expect(await bob.locator("#board button:enabled").count()).toBe(0);
    expect(complaints.splice(0)).toEqual([]);
  });

  test("auction: bids are seen live in the other browser, and its end", { timeout: 60_000 }, async () => {
    const [ann, bob] = await open("auction?auction=lamp");
    await submit(ann, "#open", { seconds: "300" });
    await shows(bob, "#best", "No bid yet");
    await submit(ann, "#enter", { name: "ann" });
    await submit(bob, "#enter", { name: "bob" });
    await submit(ann, "#bid", { amount: "300" });
    await shows(bob, "#best", "ann bids 300");
    await shows(ann, "#wallet", "ann has 700 left");
    await submit(bob, "#bid", { amount: "450" });
    await shows(ann, "#best", "bob bids 450");
    await shows(bob, "#wallet", "bob has 550 left");
    await shows(ann, "#wallet", "ann has 1,000 left");
    await submit(ann, "#bid", { amount: "2000" }); // More than she has.
    await shows(ann, "#problem", "not paid");
    expect(await textOf(bob, "#best")).toBe("bob bids 450");
    await shot(ann, "auction");

    const [early, late] = await open("auction?auction=short");
    await submit(early, "#open", { seconds: "1" });
    await shows(late, "#best", "Closed without a bid");
    expect(complaints.splice(0)).toEqual([]);
  });

  // The last one: a browser lets whoever has failed to connect wait before it connects again.
  test("chat: both hear each other, and miss nothing while their host is gone", { timeout: 120_000 }, async () => {
    const [ann, bob] = await open("chat?room=tea");
    const lines = (page: Page) => page.locator("#lines li").allTextContents();
    await submit(ann, "#join", { name: "ann" });
    await submit(bob, "#join", { name: "bob" });
    await shows(ann, "#members", "ann, bob");
    await Promise.all([ann, bob].map((page) => shows(page, "#here", "you and one other")));
    const [third] = await open("chat?room=tea", 1);
    await Promise.all([ann, bob].map((page) => shows(page, "#here", "you and 2 others")));
    await third.goto(`${url}/examples`);
    await Promise.all([ann, bob].map((page) => shows(page, "#here", "you and one other")));
    await submit(ann, "#say", { text: "hello <b>you</b>" });
    await shows(bob, "#lines", "ann: hello <b>you</b>");
    await submit(bob, "#say", { text: "hello ann" });
    await shows(ann, "#lines", "bob: hello ann");
    expect(complaints.splice(0)).toEqual([]);

    await (contexts[1] as BrowserContext).setOffline(true);
    host.child.kill("SIGKILL");
    await host.exited;
    await Promise.all([ann, bob].map((page) => shows(page, "#status", "connecting")));
    await submit(ann, "#say", { text: "said while the host was gone" });
    await start();
    await shows(ann, "#lines", "said while the host was gone");
    await until(() => ann.isEnabled("#say button"));
    await submit(ann, "#say", { text: "and while bob was" });
    await shows(ann, "#lines", "and while bob was");
    expect(await lines(bob)).toHaveLength(2);
    await (contexts[1] as BrowserContext).setOffline(false);
    await shows(bob, "#lines", "and while bob was");
    expect(await lines(bob)).toEqual(await lines(ann));
    expect(await lines(ann)).toHaveLength(4);
    await Promise.all([ann, bob].map((page) => shows(page, "#here", "you and one other")));
    expect(complaints.splice(0).filter((text) => !/ERR_(CONNECTION|INTERNET|EMPTY)|WebSocket/.test(text))).toEqual([]);
    await shot(ann, "chat");
  });
});
