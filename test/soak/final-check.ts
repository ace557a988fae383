import { setTimeout as sleep } from "node:timers/promises";
import { MEMBERS, membersOf, START } from "./groups.ts";
import type { Hook } from "./hook.ts";
import type { SoakHost } from "./host.ts";
import type { Entry, Ledger } from "./ledger.ts";

/** Ms until all moves and all calls must have ended, once nothing disturbs them any more. */
const PATIENCE = 120_000;

/** What must be true when the disturbances are over: nothing acknowledged is lost, nothing ran twice, all came to an end. */
export async function finalCheck(host: SoakHost, ledger: Ledger, hook: Hook, hasLog: boolean): Promise<void> {
  await checkAuctions(host, ledger);
  await settle(host, ledger);
  await checkFunds(host, ledger);
  await checkGroups(host, ledger, hook);
  for (const [id, entry] of ledger.counters) {
    const { value } = await read<{ value: number }>(host, `Counter/${id}/get`);
    compare(ledger, id, value, entry);
  }
  for (const [id, entry] of ledger.journals) {
    let [found, length] = [0, 0];
    do {
      const page = await read<{ length: number; entries: unknown[] }>(host, `Journal/${id}/list`, {
        from: found,
        limit: 1_000,
      });
      length = page.length;
      found += page.entries.length;
      if (page.entries.length === 0) break;
    } while (found < length);
    compare(ledger, id, length, entry);
    if (found !== length) ledger.break(`${id} has ${found} entries, and says that it has ${length}`);
  }
  for (const [id, balance] of ledger.wallets) {
    const held = await read<{ balance: number }>(host, `Wallet/${id}/getBalance`);
    if (held.balance !== balance) ledger.break(`${id} holds ${held.balance}, and ${balance} was acknowledged`);
  }
  if (hasLog) await checkLog(host, ledger);
}

function compare(ledger: Ledger, id: string, value: number, { acknowledged, unknown }: Entry): void {
  if (value >= acknowledged && value <= acknowledged + unknown) return;
  ledger.break(`${id} has ${value}: ${acknowledged} calls were acknowledged, of ${unknown} nobody knows`);
}

async function read<Response>(host: SoakHost, path: string, request?: unknown): Promise<Response> {
  const answer = await fetch(`${host.url}/api/v1/objects/call/${path}`, {
    method: "POST",
    body: JSON.stringify(request === undefined ? {} : { request }),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`);
  return (JSON.parse(text) as { response: Response }).response;
}

/** Every auction closes itself, and the index of open ones knows. */
async function checkAuctions(host: SoakHost, ledger: Ledger): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  for (const id of ledger.auctions) {
    while ((await read<{ status: string }>(host, `Auction/${id}/view`)).status !== "closed") {
      if (performance.now() > deadline) return ledger.break(`${id} had not closed ${PATIENCE / 1_000} s after the end`);
      await sleep(500);
    }
  }
  const { objects } = await host.query<{ objects: { id: string }[] }>("Auction?index=open");
  for (const { id } of objects) ledger.break(`${id} has closed, and is found among the open ones`);
}

/** What the bidders hold when all auctions are closed is what they were given. */
async function checkFunds(host: SoakHost, ledger: Ledger): Promise<void> {
  let [held, given] = [0, 0];
  for (const [bidder, funds] of ledger.funds) {
    given += funds;
    held += (await read<{ balance: number }>(host, `Wallet/${bidder}/getBalance`)).balance;
  }
  if (held !== given) ledger.break(`those who bid hold ${held}, and had ${given}`);
}

/** What the accounts of a group hold is what they began with; each payment ran once, and the outside was told of it. */
async function checkGroups(host: SoakHost, ledger: Ledger, hook: Hook): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  const groups = new Set([...ledger.payments.keys()].map((id) => id.slice(0, id.lastIndexOf(":"))));
  for (const group of groups) {
    let held = 0;
    for (const id of membersOf(group)) {
      const { balance, paid } = await read<{ balance: number; paid: number }>(
        host,
        `Account/${encodeURIComponent(id)}/view`,
      );
      held += balance;
      const acknowledged = ledger.payments.get(id) ?? 0;
      if (paid !== acknowledged) ledger.break(`${id} has paid ${paid} times, and ${acknowledged} were acknowledged`);
      while (hook.heardOf(id) < paid && performance.now() < deadline) await sleep(200);
      if (hook.heardOf(id) !== paid)
        ledger.break(`the outside was told of ${hook.heardOf(id)} of ${paid} payments of ${id}`);
    }
    if (held !== START * MEMBERS) ledger.break(`${group} holds ${held}, of ${START * MEMBERS}`);
  }
}

/** Waits for moves, for what was sent, and for the log; whoever does not end breaks a promise. */
async function settle(host: SoakHost, ledger: Ledger): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  const open = async (): Promise<string[]> => {
    const { counts } = await host.admin<{ counts: { active: number; planned: number } }>("GET", "moves?limit=1");
    const { partitions } = await host.admin<{ partitions: { messages?: number }[] }>("GET", "partitions");
    const messages = partitions.reduce((sum, each) => sum + (each.messages ?? 0), 0);
    const { target } = await host.admin<{ target: number | null }>("GET", "shard-count");
    return [
      ...(counts.active + counts.planned === 0 ? [] : [`${counts.active + counts.planned} moves`]),
      ...(messages === 0 ? [] : [`${messages} messages`]),
      ...(target === null ? [] : ["a change of the shard count"]),
    ];
  };
  for (let left = await open(); left.length > 0; left = await open()) {
    if (performance.now() > deadline)
      return ledger.break(`these had not ended ${PATIENCE / 1_000} s after the end: ${left}`);
    await sleep(500);
  }
}

/** A view of the log. Poison that is written to it late may hold it up. */
async function look<View>(host: SoakHost, path: string): Promise<View> {
  for (const deadline = performance.now() + PATIENCE; ; await sleep(1_000)) {
    try {
      return await host.admin<View>("GET", path);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

/** The log has every reliable call of the wallets, with its outcome, once the backlog is written. */
async function checkLog(host: SoakHost, ledger: Ledger): Promise<void> {
  for (const deadline = performance.now() + PATIENCE; ; await sleep(1_000)) {
    const { ended, pending } = await countRows(host);
    if (ended === ledger.reliable && pending === 0) return;
    if (ended > ledger.reliable || performance.now() > deadline) {
      return ledger.break(
        `the log has ${ended} calls of wallets and ${pending} pending ones; ${ledger.reliable} were made`,
      );
    }
  }
}

async function countRows(host: SoakHost): Promise<{ ended: number; pending: number }> {
  let [ended, pending] = [0, 0];
  for (let cursor = ""; ; ) {
    const page = await look<{ calls: { callId: string; status: string }[]; cursor?: string }>(
      host,
      `calls?type=Wallet&limit=1000${cursor}`,
    );
    // A transfer makes a call of its own.
    for (const { callId, status } of page.calls) {
      if (status === "pending") pending++;
      else if (callId.startsWith("soak-")) ended++;
    }
    if (page.cursor === undefined) return { ended, pending };
    cursor = `&cursor=${page.cursor}`;
  }
}
