import type { ObjectClass } from "../../object/object-class.ts";
import type { Registry } from "../../object/registry.ts";
import { shardsOf } from "./owner-checks.ts";
import type { World } from "./world.ts";

/**
 * What is stored of objects at this instant, as an auditor would read it from the database of each object's owner. Null: there
 * is no such object. Undefined: its shard is between two owners, and nobody can read it.
 */
export function storedObjects(world: World, registry: Registry): (type: ObjectClass, id: string) => unknown {
  const partitions = world.partitions.map(({ name, disk }) => ({ name, disk, shards: shardsOf(disk) }));
  const sql = "SELECT state FROM objects WHERE type = ? AND id = ?";
  return ({ type }, id) => {
    const placement = registry.placement(type, id);
    const owners = partitions.filter(({ name, shards }) => {
      if (shards === undefined) return false;
      if (placement.kind === "partition") return placement.partition === name;
      const state = shards.states.get(placement.hash % shards.count);
      return state === "owned" || state === "leaving";
    });
    const [owner] = owners;
    if (owner === undefined || owners.length > 1) return undefined;
    const [row] = owner.disk.query<{ state: string }>(sql, type, id);
    return row === undefined ? null : JSON.parse(row.state);
  };
}
