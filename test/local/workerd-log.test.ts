import { expect, test } from "vitest";
import { readWorkerdLog } from "../../local/workerd-log.ts";

const source = "workerd/io/worker.c++:2840";

test.each([
  ["the worker's console", { level: "log", message: "a\nb" }, "a\nb"],
  [
    "an exception nobody caught",
    {
      level: "info",
      source,
      message: "uncaught exception; source = Uncaught (in promise); stack = Error: a\n    at b",
    },
    "Uncaught Error: a\n    at b",
  ],
  [
    "the same exception once more",
    { level: "error", source, message: "Uncaught exception: workerd/jsg/value.h:1535: failed: remote.jsg.Error: a" },
    undefined,
  ],
  [
    "an exception of workerd's own",
    { level: "error", source, message: "Uncaught exception: kj/async-io-unix.c++:186: disconnected: connect()" },
    "workerd: Uncaught exception: kj/async-io-unix.c++:186: disconnected: connect()",
  ],
  [
    "a failure of workerd's own, without its places there",
    {
      level: "error",
      source,
      message: "e = connecting to 127.0.0.1:9 is not allowed\nstack: workerd@28a3c60; wdErrId = 1",
    },
    "workerd: e = connecting to 127.0.0.1:9 is not allowed",
  ],
  ["a warning", { level: "warning", source, message: "no such class" }, "workerd: no such class"],
  ["what workerd is at", { level: "info", source, message: "Loading CA" }, undefined],
])("reads %s", (_what, record, said) => {
  expect(readWorkerdLog(JSON.stringify({ timestamp: 1, ...record }))).toBe(said);
});

test.each(["*** Received signal #11", "{", "{}", '{"message":"no level"}'])(
  "leaves alone what is no record: %s",
  (line) => {
    expect(readWorkerdLog(line)).toBe(line);
  },
);
