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
}
