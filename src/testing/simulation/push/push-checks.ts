import { isDeepStrictEqual } from "node:util";
import { covers } from "../../../push/topic.ts";
import { storedObjects } from "../stored-objects.ts";
import { Violation } from "../violation.ts";
import type { World } from "../world.ts";
import type { Listener } from "./listener.ts";
import { type Line, type RoomState, roomOf, roomView } from "./room.ts";
import type { Said } from "./says.ts";
import type { Story } from "./story.ts";

/** What rooms have sent, in order, by room. */
type Rooms = ReadonlyMap<string, RoomState>;

/** Characters of what is said of a view. */
const MOST = 1_000;

/** What was promised to clients that listen, watch and call, when all is quiet. @throws Violation */
export function checkPush(world: World, says: readonly Said[], listeners: readonly Listener[]): void {
  const rooms = roomsOf(world);
  checkSays(says, rooms);
  const invoked = new Map(says.map(({ token, invoked }) => [token, invoked]));
  for (const listener of listeners)
    for (const story of listener.stories)
      checkStory(story, { rooms, invoked, isPresent: listener.isConnected && story === listener.story });
  checkEnds(world, listeners, rooms);
  checkViews(world, listeners);
}

/** Every view was one of a turn that has committed, and whoever is connected sees what is stored ([PUSH11]). */
export function checkViews(world: World, listeners: readonly Listener[]): void {
  const rooms = roomsOf(world);
  const linesOf = (room: string) => rooms.get(room)?.lines ?? [];
  for (const { views, watches, isConnected } of listeners) {
    for (const { room, said, view } of views) {
      const was = roomView(linesOf(room).slice(0, said));
      if (!isDeepStrictEqual(view, was))
        throw new Violation(`[PUSH11] room ${room} was seen as ${JSON.stringify(view)}, never was so`.slice(0, MOST));
    }
    if (!isConnected) continue;
    for (const { id, state } of watches.values()) {
      const now = rooms.has(id) ? roomView(linesOf(id)) : undefined;
      if (!isDeepStrictEqual(structuredClone(state), now))
        throw new Violation(
          `[PUSH11] room ${id} is seen as ${JSON.stringify(state)}, is ${JSON.stringify(now)}`.slice(0, MOST),
        );
    }
  }
}

function roomsOf(world: World): Rooms {
  const stored = storedObjects(world, world.edge("push checks").registry);
  const Room = roomOf(async () => undefined);
  const rooms = new Map<string, RoomState>();
  for (const id of world.settings.objects) {
    const state = stored(Room, id);
    if (state !== null && state !== undefined) rooms.set(id, state as RoomState);
  }
  return rooms;
}

/** Each call that was answered has run once, and no call twice ([PUSH8], [CALL1]). */
function checkSays(says: readonly Said[], rooms: Rooms): void {
  for (const { token, step, to, outcome } of says) {
    const lines = (rooms.get(step.object)?.lines ?? []).filter((line) => line.token === token);
    const what = `${token} of room ${step.object}`;
    if (lines.length !== 0 && lines.length !== to.length)
      throw new Violation(`[PUSH8] ${what} has sent ${lines.length} messages, once are ${to.length}`);
    if (step.fails && lines.length > 0) throw new Violation(`[PUSH4] ${what} has failed and sent messages`);
    if (outcome?.kind === "done" && lines.at(-1)?.n !== outcome.said)
      throw new Violation(`[PUSH8] ${what} said ${outcome.said}, stored is ${lines.at(-1)?.n}`);
  }
}

interface StoryParts {
  readonly rooms: Rooms;
  /** When each call was first sent. */
  readonly invoked: ReadonlyMap<string, number>;
  /** Whether the client is connected at the end: then it must have everything. */
  readonly isPresent: boolean;
}

/** What a session got of each room is what the room has sent to it, in order, with nothing left out but for gaps ([PUSH1], [PUSH4]). */
function checkStory(story: Story, { rooms, invoked, isPresent }: StoryParts): void {
  for (const got of story.got) {
    if (got.kind === "gap") continue;
    const { room, n, token, to, size } = got.message;
    if (!isDeepStrictEqual(rooms.get(room)?.lines[n - 1], { n, token, to, size }))
      throw new Violation(`[PUSH4] ${story.client} got message ${n} of room ${room} (${token}), which was never sent`);
  }
  for (const [room, { lines }] of rooms) {
    for (const kind of ["topic", "all", story.client]) {
      const since = sinceOf(story, room, kind);
      if (since === undefined) continue;
      const sent = lines.filter(({ to }) => to === kind);
      const missing = missingIn(story, room, sent, (line) => (invoked.get(line.token) as number) >= since, isPresent);
      if (missing !== undefined)
        throw new Violation(
          `[PUSH4] ${story.client} has not got message ${missing.n} of room ${room} (${missing.token}), and no gap was told`,
        );
    }
  }
}

/** Since when a session is to get what a room sends so; undefined when it does not listen. */
function sinceOf({ from, topics }: Story, room: string, kind: string): number | undefined {
  if (kind !== "topic") return from;
  const times = Array.from(topics).filter(([topic]) => covers(topic.split("/"), ["room", room]));
  return times.length === 0 ? undefined : Math.min(...times.map(([, time]) => time));
}

/** The first message that a session has not got although it should have. */
function missingIn(
  { got }: Story,
  room: string,
  sent: readonly Line[],
  must: (line: Line) => boolean,
  isPresent: boolean,
): Line | undefined {
  const places = new Map<number, number>();
  for (const [place, each] of got.entries())
    if (each.kind === "message" && each.message.room === room) places.set(each.message.n, place);
  const gaps = got.flatMap(({ kind }, place) => (kind === "gap" ? [place] : []));
  let begun = false;
  let before = -1;
  for (const [index, line] of sent.entries()) {
    const place = places.get(line.n);
    if (place !== undefined) {
      begun = true;
      before = place;
      continue;
    }
    const next = sent.slice(index + 1).find(({ n }) => places.has(n));
    if (next === undefined && !isPresent) return undefined;
    const until = next === undefined ? got.length : (places.get(next.n) as number);
    if (!(begun || must(line)) || gaps.some((gap) => gap > before && gap < until)) continue;
    return line;
  }
  return undefined;
}

/** The end of each session that has ended was told once, of no other ever ([PUSH3]). */
function checkEnds(world: World, listeners: readonly Listener[], rooms: Rooms): void {
  const gone = rooms.get(world.settings.objects[0] as string)?.gone ?? [];
  const [twice] = gone.filter((client, index) => gone.indexOf(client) !== index);
  if (twice !== undefined) throw new Violation(`[PUSH3] the end of ${twice} was told twice`);
  for (const listener of listeners) {
    for (const story of listener.stories) {
      const isPresent = listener.isConnected && story === listener.story;
      if (gone.includes(story.client) === !isPresent) continue;
      throw new Violation(
        isPresent
          ? `[PUSH3] ${story.client} was told to be gone, and is connected`
          : `[PUSH3] nobody was told that ${story.client} is gone`,
      );
    }
  }
}
