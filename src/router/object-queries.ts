import * as z from "zod";
import { checkQuery } from "../access/decide.ts";
import type { Identity } from "../access/identity.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { FIXED_POSITION, positionOf } from "../identity/hash-order.ts";
import { compareUtf8 } from "../identity/utf8-order.ts";
import type { Caller } from "../object/call.ts";
import { DROPPED } from "../object/left-call.ts";
import { type IndexValue, indexValue } from "../object/object-index.ts";
import type { Registry } from "../object/registry.ts";
import { pause } from "../platform/pause.ts";
import type { Clock } from "../platform/ports.ts";
import { within } from "../platform/within.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import type { IndexPage, IndexPlace, IndexQuery, OwnObject } from "./index-query.ts";
import type { Connect } from "./ports.ts";
import { queryRange } from "./query-range.ts";
import { callerFor } from "./remote-objects.ts";
import type { Router } from "./router.ts";

/** Which objects are wanted: those with a value, with values between bounds, with a text that begins so, or all in the index. */
export interface QueryOptions<Index extends string = string, Value = IndexValue> {
  readonly index: Index;
  readonly value?: Value | undefined;
  /** Inclusive. */
  readonly from?: Value | undefined;
  /** Exclusive. */
  readonly to?: Value | undefined;
  readonly prefix?: string | undefined;
  /** Default: `"asc"`. */
  readonly order?: "asc" | "desc" | undefined;
  /** Objects of the page, at most: 1 to 1,000, 100 by default. */
  readonly limit?: number | undefined;
  /** That of the page before. */
  readonly cursor?: string | undefined;
  /** Which client asks: it finds what its class and the host let it. `null` is an anonymous one; without it all is found. */
  readonly identity?: Identity | null | undefined;
}

export interface FoundObjects<Value = IndexValue> {
  /** In the order of values, then of ids. An object with several values is there once for each. */
  readonly objects: readonly { readonly id: string; readonly value: Value }[];
  /** For the next page; a page may be short, or empty, and still have one. Absent on the last. */
  readonly cursor?: string;
  /** Partitions that did not answer: their objects are missing. */
  readonly unreachable: readonly string[];
}

interface Parts {
  readonly registry: Registry;
  readonly router: Pick<Router, "map" | "refresh">;
  readonly connect: Connect;
  readonly clock: Clock;
}

/** Ms that a partition has to answer. */
const ANSWER_WITHIN = 5_000;
/** How often a page is read again because shards have moved meanwhile, and ms in between. */
const TRIES = 10;
const TRY_AGAIN = 20;

const placeSchema = z.tuple([z.string(), z.boolean(), z.number(), z.union([z.number(), z.string()]), z.string()]);

/** Finds objects by the indexes of their types, in all partitions at once ([IDX2]). */
export class ObjectQueries {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Finds what its client may find: all objects, or its own alone ([ACC1]).
   *
   * @param signal of the client: when it is gone, no partition more is asked ([TURN12])
   * @throws EdgeverseError `TYPE_NOT_FOUND`, `ACCESS_DENIED`, `UNAUTHENTICATED`, `INVALID_ARGUMENT`, `UNAVAILABLE`
   */
  async find(type: string, options: QueryOptions<string, unknown>, signal?: AbortSignal): Promise<FoundObjects> {
    const { router, clock, registry } = this.#parts;
    const caller = callerFor(options.identity, "worker");
    const scope = checkQuery(registry.type(type).access.query, caller);
    const every = this.#query(type, options);
    const query = scope === "all" ? every : { ...every, own: this.#own(type, caller) };
    for (let tries = 0; tries < TRIES; tries++) {
      if (tries > 0) await pause(clock, TRY_AGAIN);
      if (signal?.aborted === true) throw DROPPED;
      await router.refresh();
      const page = await this.#page(query);
      if (page !== undefined) return page;
    }
    throw new EdgeverseError("UNAVAILABLE", `Cannot find objects of ${type}: too many shards are moving`, {
      retryAfter: 1,
    });
  }

  /** Asks every partition; undefined when a shard has moved meanwhile. */
  async #page(query: IndexQuery): Promise<FoundObjects | undefined> {
    const { router, connect, clock } = this.#parts;
    const started = clock.now();
    const unreachable: string[] = [];
    const pages: Exclude<IndexPage, { kind: "building" }>[] = [];
    let moved = false;
    const ask = async (partition: string) => {
      const late = () => new EdgeverseError("UNAVAILABLE", "It does not answer");
      const asked = async () => connect(partition).find(query);
      const page = await within(clock, ANSWER_WITHIN, asked(), late).catch(() => undefined);
      if (page === undefined) unreachable.push(partition);
      else if (page.kind === "building") throw building(query.type);
      else {
        const { changed, waiting } = page.settled;
        moved ||= waiting || (changed !== null && changed <= clock.now() - started);
        pages.push(page);
      }
    };
    await Promise.all(router.map.partitions.map(ask));
    return moved ? undefined : { ...merged(query, pages), unreachable: unreachable.sort() };
  }

  /** @throws EdgeverseError `INVALID_ID` where the identity has an id that no object can have */
  #own(type: string, { identity }: Caller): OwnObject {
    const id = identity?.id ?? "";
    const placement = this.#parts.registry.placement(type, id);
    return { id, position: placement.kind === "partition" ? FIXED_POSITION : positionOf(placement.hash) };
  }

  #query(type: string, options: QueryOptions<string, unknown>): IndexQuery {
    const { indexes } = this.#parts.registry.type(type);
    const { index, order = "asc", limit = 100, cursor } = options;
    if (indexes?.names.includes(index) !== true) {
      const known = indexes === undefined ? "it has none" : `it has ${indexes.names.join(", ")}`;
      throw new EdgeverseError("INVALID_ARGUMENT", `${type} has no index "${String(index).slice(0, 80)}": ${known}`);
    }
    if (order !== "asc" && order !== "desc") {
      throw new EdgeverseError("INVALID_ARGUMENT", 'Cannot use the order: it is "asc" or "desc"');
    }
    if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
      throw new EdgeverseError("INVALID_ARGUMENT", "Cannot use the limit: it is a whole number from 1 to 1000");
    }
    const descending = order === "desc";
    const range = queryRange(options);
    const place = readCursor(cursor, placeSchema);
    const query = { type, index, version: indexes.version, range, descending, limit };
    if (place === undefined) return query;
    const [ofIndex, wasDescending, ...after] = place;
    if (ofIndex === index && wasDescending === descending && (range.rank ?? after[0]) === after[0])
      return { ...query, after };
    throw new EdgeverseError("INVALID_ARGUMENT", "Cannot use the cursor: it belongs to another query");
  }
}

/** One page of those of all partitions: as far as each of them has looked. */
function merged(
  { index, descending, limit }: IndexQuery,
  pages: readonly { readonly places: readonly IndexPlace[]; readonly next: IndexPlace | null }[],
): Omit<FoundObjects, "unreachable"> {
  const compare = (left: IndexPlace, right: IndexPlace) => comparePlaces(left, right) * (descending ? -1 : 1);
  const [end] = pages.flatMap(({ next }) => (next === null ? [] : [next])).sort(compare);
  const all = pages.flatMap(({ places }) => places).sort(compare);
  const known = end === undefined ? all : all.filter((place) => compare(place, end) <= 0);
  const shown = known.slice(0, limit);
  const last = shown.length < known.length ? shown.at(-1) : end;
  const objects = shown.map(([rank, value, id]) => ({ id, value: indexValue([rank, value]) }));
  return last === undefined ? { objects } : { objects, cursor: writeCursor([index, descending, ...last]) };
}

/** The order of the database: places of equal rank have values of one type. */
function comparePlaces(left: IndexPlace, right: IndexPlace): number {
  const [a, b] = [left[1], right[1]];
  const byValue = typeof a === "string" && typeof b === "string" ? compareUtf8(a, b) : Number(a) - Number(b);
  return left[0] - right[0] || byValue || compareUtf8(left[2], right[2]);
}

function building(type: string): EdgeverseError {
  return new EdgeverseError("UNAVAILABLE", `The indexes of ${type} are being built`, {
    reason: "INDEX_BUILDING",
    retryAfter: 1,
  });
}
