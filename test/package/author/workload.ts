import type { Workload } from "edgeverse/testing";
import { Counter } from "./counter.js";

const workload: Workload<number> = {
  objects: [Counter],
  calls: 10,
  async call({ object, n }) {
    await object(Counter, "a", { callId: `call-${n}` }).add({ by: 1 });
    return 1;
  },
  async check({ object, answers }) {
    const { value } = await object(Counter, "a").get();
    if (value !== answers.length) throw new Error(`${value} were counted, and ${answers.length} were called`);
  },
};

export default workload;
