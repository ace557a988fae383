import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { seeded } from "../end-to-end/wallet-traffic.ts";
import { temporaryFolder, until } from "../local/host-process.ts";
import { Memory } from "../soak/memory.ts";
import { freePort } from "../support/free-port.ts";
import { KillableHost } from "../support/killable-host.ts";
import { Cable, LibraryMember } from "./library-member.ts";
import { Member } from "./member.ts";
import { Record } from "./record.ts";
import { Speakers } from "./speakers.ts";
import { PARTITIONS, SHARDS, Trouble } from "./trouble.ts";

export interface RoomOptions {
  readonly clients: number;
  readonly seconds: number;
  readonly seed: number;
  readonly gates: number;
  /** Messages a second. */
  readonly rate: number;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly seconds: number;
  readonly listening: number;
  readonly said: number;
  readonly taken: number;
  readonly gaps: number;
  readonly broken: number;
  readonly mebibytes: number;
  readonly trouble: Trouble["counts"];
}

export interface RoomReport {
  readonly seed: number;
  readonly seconds: number;
  readonly clients: number;
  readonly gates: number;
  /** Promises that were broken; none when all is well. */
  readonly broken: readonly string[];
  /** Messages of turns that committed. */
  readonly said: number;
  /** What members took, each message once for each of them; and what came to one again, which it knew by its number. */
  readonly taken: number;
  readonly again: number;
  /** How often a client was told that something may be missing. */
  readonly gaps: number;
  readonly calls: Speakers["counts"];
  readonly trouble: Trouble["counts"];
  /** How connections ended, by code. */
  readonly ends: Record["ends"];
  /** MiB of workerd: before anybody came, at most, and when all had gone. */
  readonly memory: { readonly empty: number; readonly most: number; readonly end: number };
}

/** One in so many uses `edgeverse/client`. */
const LIBRARY = 20;
/** The part of the time in which gates keep everything: there nobody may be told of a gap. After it they keep little. */
const KEPT = 0.7;
/** Bytes that gates keep then: seconds of what is said. */
const LITTLE = 256 * 1024;
/** Messages of the shortest run, and seconds that it may take longer for them: a machine that has other work is slow. */
const LEAST = 30;
const LONGER = 60;
/** Ms that clients may take to hear all, once nothing happens any more. */
const PATIENCE = 60_000;

/** Runs a full room on the real host while connections break and processes end, and checks what each client hears. */
export async function room({ clients, seconds, seed, gates, rate, onProgress }: RoomOptions): Promise<RoomReport> {
  const random = seeded(seed);
  const part = () => seeded(Math.floor(random() * 2 ** 32));
  const record = new Record();
  const port = await freePort();
  const host = new KillableHost({
    port,
    config: join(import.meta.dirname, "wrangler.toml"),
    flags: ["--no-postgres"],
    environment: {
      EDGEVERSE_DATA: temporaryFolder(),
      EDGEVERSE_PARTITIONS: `${PARTITIONS.length}`,
      EDGEVERSE_SHARDS: `${SHARDS}`,
      EDGEVERSE_GATES: `${gates}`,
      EDGEVERSE_CLIENT_CONNECTIONS: `${clients * 2}`,
      // On a machine with much other work a host can take minutes to come back. No session is to end over it.
      EDGEVERSE_PUSH_RESUME: "1h",
      EDGEVERSE_STABLE_FOR: "1s",
      EDGEVERSE_MOVE_COOLDOWN: "1s",
      EDGEVERSE_MOVE_STALL: "5s",
    },
  });
  await host.start();
  const memory = new Memory();
  memory.look(host.workerdPid);
  const empty = memory.now;
  const cable = await Cable.to(port);
  const library = Array.from(
    { length: Math.ceil(clients / LIBRARY) },
    (_, n) => new LibraryMember(cable.url, `library ${n}`, record),
  );
  const members = Array.from(
    { length: clients - library.length },
    (_, n) => new Member(host.url, `member ${n}`, record, part()),
  );
  const all = [...members, ...library];
  try {
    for (const member of members) member.connect();
    await until(() => all.every(({ isListening }) => isListening), PATIENCE);
    const gateNames = Array.from({ length: gates }, (_, n) => `g${n}`);
    const every = Math.min(5_000, seconds * 100);
    const trouble = new Trouble({ host, members, cable, gates: gateNames, random: part(), every });
    const speakers = new Speakers({ url: host.url, record, random: part(), members, library, pause: 1_000 / rate });
    const over = new AbortController();
    const begun = performance.now();
    const elapsed = () => (performance.now() - begun) / 1_000;
    const speaking = speakers.run(over.signal);
    const happening = trouble
      .run(over.signal, () => elapsed() < seconds * 0.8)
      .catch((error) => record.break(`the host did not come back: ${error}`));
    const isOver = () => elapsed() > seconds + (record.highest < LEAST ? LONGER : 0);
    while (!isOver() && record.broken.length === 0) {
      await sleep(500);
      memory.look(host.workerdPid);
      if (host.died !== undefined) record.break(`workerd ended by itself: ${host.died}`);
      if (!record.gapsAreFine && elapsed() > seconds * KEPT) {
        record.gapsAreFine = true;
        await keepLittle(host);
      }
      onProgress?.({
        seconds: elapsed(),
        listening: all.filter(({ isListening }) => isListening).length,
        said: record.highest,
        taken: record.taken,
        gaps: record.gaps,
        broken: record.broken.length,
        mebibytes: memory.now,
        trouble: trouble.counts,
      });
    }
    over.abort();
    await happening;
    await speaking;
    const { response } = await host.ask<{ response: { said: number } }>(
      "POST",
      "api/v1/objects/call/Room/main/count",
      {},
    );
    const { said } = response;
    await until(() => all.every(({ hearing }) => hearing.last >= said), PATIENCE).catch(() => undefined);
    for (const { hearing, client } of members) hearing.check(said, client);
    for (const { hearing } of library) hearing.check(said, undefined);
    for (const member of all) member.leave();
    await sleep(1_000);
    memory.look(host.workerdPid);
    const code = await host.stop();
    if (code !== 0) record.break(`the host ended with ${code}`);
    return {
      seed,
      seconds: Math.round(elapsed()),
      clients,
      gates,
      broken: record.broken,
      said,
      taken: record.taken,
      again: record.again,
      gaps: record.gaps,
      calls: speakers.counts,
      trouble: trouble.counts,
      ends: record.ends,
      memory: { empty: Math.round(empty), most: Math.round(memory.most), end: Math.round(memory.now) },
    };
  } finally {
    for (const member of all) member.leave();
    cable.close();
  }
}

async function keepLittle(host: KillableHost): Promise<void> {
  const document = { settings: { pushLog: LITTLE } };
  for (;;) {
    const answer = await host.admin("PUT", "config", { document }).catch((error: Error) => error);
    if (!(answer instanceof Error)) return;
    await sleep(500); // It was just killed.
  }
}
