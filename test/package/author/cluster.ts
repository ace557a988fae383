import { TestCluster } from "edgeverse/testing";
import { Counter } from "./counter.js";

const cluster = new TestCluster({ objects: [Counter], partitions: 2 });
await cluster.call("Counter", "a", "add", { by: 2 });
console.log(JSON.stringify(await cluster.call("Counter", "a", "get")));
