import { TestCluster } from "edgeverse/testing";
import { Counter } from "./counter.js";

const cluster = new TestCluster({ objects: [Counter], partitions: 2 });
const counter = cluster.object(Counter, "a");
await counter.add({ by: 2 });
console.log(JSON.stringify(await counter.get()));
