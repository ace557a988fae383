import * as z from "zod";
import type { MoveView } from "../../coordinator/commands.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { readCursor } from "../../router/cursor.ts";
import { parseQuery, readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, count, moment, wholeNumber, yesOrNo } from "../schemas.ts";
import { askCoordinator, command, ORDERED } from "./coordinator.ts";
import { cursorAfter, numberPlace, pageAnswer, pageQuery } from "./page.ts";

export const moveSchema = z
  .object({
    id: count,
    shard: count,
    from: z.string(),
    to: z.string(),
    phase: z.enum(["planned", "copying", "undoing", "committed", "dropping", "done", "undone"]),
    reason: z.string().register(about, { examples: ["drain"] }),
    detail: z.string(),
    epoch: count.nullable(),
    trouble: z.string().nullable().register(about, { description: "Why it was undone, or is held up" }),
    attempts: count,
    rows: count,
    bytes: count,
    pausedMs: z.number().nullable().register(about, { description: "How long callers of the shard were stopped" }),
    startedAt: moment,
    updatedAt: moment,
    endedAt: moment.nullable(),
    ageMs: z.number(),
    stuck: z.boolean(),
  })
  .register(about, { id: "Move" });

export const moveCounts = z.object({
  done: count,
  undone: count,
  active: count,
  planned: count,
  oldestMs: z.number().register(about, { description: "How long the oldest move under way has been so" }),
});

const querySchema = z.strictObject({
  active: yesOrNo.default(false),
  shard: wholeNumber(0, 65_535).optional(),
  ...pageQuery,
});
const decisionSchema = z.object({
  at: moment,
  trigger: z.string(),
  moves: count,
  skipped: z.array(z.object({ reason: z.string(), count, detail: z.string().optional() })),
});
const answerSchema = z.object({
  moves: z.array(moveSchema),
  counts: moveCounts,
  decisions: z.array(decisionSchema),
  decisionCounts: z.record(z.string(), count),
  ...pageAnswer,
});

/** `GET /admin/v1/moves`, and by its former name `GET /admin/v1/migrations`. */
export function moveRoutes(parts: HttpParts): Route[] {
  const route = list(parts);
  const former = { id: "listMigrations", path: "/admin/v1/migrations", deprecated: true };
  return [route, { ...route, doc: { ...route.doc, ...former } }, cancel(parts)];
}

/** Moves, newest first, and what the planner decided last ([PLAN3], [MIG6]). */
function list(parts: HttpParts): Route {
  return {
    doc: {
      id: "listMoves",
      tag: "shards",
      method: "get",
      path: "/admin/v1/moves",
      summary: "List moves of shards, and the planner's last decisions",
      query: querySchema,
      answers: { 200: { description: "A page, newest first", schema: answerSchema } },
      problems: ["UNAVAILABLE"],
    },
    handle: async (context) => {
      const { active, shard, cursor, limit } = parseQuery(context, querySchema);
      const query = { limit, before: readCursor(cursor, numberPlace), shard, active };
      const [moves, view] = await Promise.all([
        askCoordinator(parts, (coordinator) => coordinator.moves(query)),
        askCoordinator(parts, (coordinator) => coordinator.view()),
      ]);
      const answer: z.input<typeof answerSchema> = {
        moves: moves.map((move) => moveBody(move, parts.clock.now())),
        counts: view.moves,
        decisions: view.decisions.map(({ at, skipped, ...rest }) => ({
          ...rest,
          at: new Date(at).toISOString(),
          skipped: [...skipped],
        })),
        decisionCounts: view.decisionCounts,
        ...cursorAfter(moves.at(-1)?.id, moves.length, limit),
      };
      return respond(JSON.stringify(answer), context.requestId);
    },
  };
}

const idSchema = z.object({ move: z.string().register(about, { type: "integer", minimum: 1 }) });
const cancelSchema = z.strictObject({
  force: z.boolean().default(false).register(about, {
    description: "Don't wait for a target that is to drop its copy, such as one that is gone for good",
  }),
});

/** `POST /admin/v1/moves/{move}/cancel` ([MIG8]): answers with the move as it is then. */
function cancel(parts: HttpParts): Route {
  return {
    doc: {
      id: "cancelMove",
      tag: "shards",
      method: "post",
      path: "/admin/v1/moves/{move}/cancel",
      summary: "Take a move back, unless it is committed",
      params: idSchema,
      body: cancelSchema,
      answers: { 202: { description: "The move, as it is now", schema: moveSchema } },
      problems: ORDERED,
    },
    handle: async (context) => {
      const { requestId } = context;
      const { force } = await readChange(context, cancelSchema);
      const text = context.param("move");
      if (!/^[1-9]\d{0,15}$/.test(text)) throw new EdgeverseError("NOT_FOUND", "The id of a move is a whole number");
      const order = { kind: "cancel-move", move: Number(text), force } as const;
      const view = await command<MoveView>(parts, order, context);
      return respond(JSON.stringify(moveBody(view, parts.clock.now())), requestId, 202);
    },
  };
}

export function moveBody(view: MoveView, now: number): z.input<typeof moveSchema> {
  const time = (at: number) => new Date(at).toISOString();
  const { startedAt, updatedAt, endedAt, ...rest } = view;
  return {
    ...rest,
    startedAt: time(startedAt),
    updatedAt: time(updatedAt),
    endedAt: endedAt === null ? null : time(endedAt),
    ageMs: Math.max(0, (endedAt ?? now) - startedAt),
  };
}
