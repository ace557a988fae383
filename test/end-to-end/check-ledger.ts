import { expect } from "vitest";
import type { IssuedCall } from "./wallet-traffic.ts";

interface LogRow {
  readonly callId: string;
  readonly id: string;
  readonly status: string;
  readonly method: string;
}

/** Every acknowledged call counts once; repeated ids got the same answer; the wallets hold the sum of what succeeded. */
export async function checkLedger(url: string, calls: Iterable<IssuedCall>): Promise<void> {
  const balances = new Map<string, number>();
  for (const call of calls) {
    expect(call.answers.length).toBeGreaterThan(0);
    const [first] = call.answers;
    for (const answer of call.answers) {
      expect({ callId: call.callId, status: answer.status, body: answer.body }).toEqual({
        callId: call.callId,
        status: first?.status,
        body: first?.body,
      });
    }
    const change = first?.status !== 200 ? 0 : call.method === "deposit" ? call.amount : -call.amount;
    balances.set(call.wallet, (balances.get(call.wallet) ?? 0) + change);
  }
  for (const [wallet, balance] of balances) {
    const answer = await fetch(`${url}/api/v1/objects/call/Wallet/${wallet}/getBalance`, { method: "POST" });
    expect({ wallet, answer: await answer.json() }).toEqual({ wallet, answer: { response: { balance } } });
  }
}

/** The log in Postgres, once it has settled, says the same of every call. */
export async function checkLog(url: string, adminToken: string, calls: ReadonlyMap<string, IssuedCall>): Promise<void> {
  const deadline = Date.now() + 60_000;
  let rows: LogRow[] = [];
  do {
    rows = await readLog(url, adminToken);
    if (rows.length === calls.size && rows.every((row) => row.status !== "pending")) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  } while (Date.now() < deadline);
  expect(rows.length).toBe(calls.size);
  for (const row of rows) {
    const call = calls.get(row.callId) as IssuedCall;
    const status = call.answers[0]?.status === 200 ? "success" : "failed";
    expect({ ...pick(row) }).toEqual({ callId: call.callId, id: call.wallet, method: call.method, status });
  }
}

function pick({ callId, id, method, status }: LogRow): LogRow {
  return { callId, id, method, status };
}

async function readLog(url: string, adminToken: string): Promise<LogRow[]> {
  const rows: LogRow[] = [];
  let cursor = "";
  for (;;) {
    const answer = await fetch(`${url}/admin/v1/calls?limit=1000${cursor}`, {
      headers: { authorization: `Bearer ${adminToken}` },
    });
    if (answer.status !== 200) return [];
    const page = (await answer.json()) as { calls: LogRow[]; cursor?: string };
    rows.push(...page.calls);
    if (page.cursor === undefined) return rows;
    cursor = `&cursor=${page.cursor}`;
  }
}
