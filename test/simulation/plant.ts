/** Puts other code in place of a method until undone. */
export type Plant = () => () => void;

/** @param make gets the real method and gives what takes its place */
export function instead<Class extends object, Name extends keyof Class>(
  target: Class,
  name: Name,
  make: (real: Class[Name]) => Class[Name],
): Plant {
  return () => {
    const real = target[name];
    target[name] = make(real);
    return () => {
      target[name] = real;
    };
  };
}

export function both(one: Plant, other: Plant): Plant {
  return () => {
    const removals = [one(), other()];
    return () => {
      for (const remove of removals) remove();
    };
  };
}

/** A bug, and within how many seeds the simulation must find it. */
export interface PlantedBug {
  readonly plant: Plant;
  readonly within: number;
  /**
   * The first seed that finds it, where those before it take long. It is tried before them; when it finds nothing, because the
   * schedules have changed, all are tried.
   */
  readonly seed?: number;
}

/** Has the simulation look for a bug. @returns what it says of it; undefined when it does not find it */
export async function findBug(
  { plant, within, seed = 1 }: PlantedBug,
  live: (seed: number) => Promise<{ readonly violation?: string | undefined }>,
): Promise<string | undefined> {
  if (seed > within) throw new RangeError(`seed ${seed} is not within ${within} seeds`);
  const remove = plant();
  try {
    for (let tried = 0; tried <= within; tried++) {
      const each = tried === 0 ? seed : tried;
      const { violation } = await live(each);
      if (violation === undefined) continue;
      if (tried > SLOW) console.info(`Its seed is no longer ${seed}: it is ${each}`);
      return violation;
    }
    return undefined;
  } finally {
    remove();
  }
}

/** Seeds that are tried in a moment. */
const SLOW = 20;
