import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ChildExit, GuardedChild } from "../../local/guarded-child.ts";
import { supervise } from "../../local/supervisor.ts";

const KILLED: ChildExit = { code: null, signal: "SIGKILL" };
let pids = 0;
const children: (GuardedChild & { end(exit: ChildExit): void })[] = [];

function fakeChild(): GuardedChild {
  const { promise: exited, resolve: end } = Promise.withResolvers<ChildExit>();
  const stop = async () => {
    end({ code: 0, signal: null });
    return exited;
  };
  const child = { pid: ++pids, exited, end, stop, kill: () => end(KILLED) };
  children.push(child);
  return child;
}

function supervised() {
  const log = vi.fn<(message: string) => void>();
  const onGivingUp = vi.fn<() => void>();
  return { log, onGivingUp, supervisor: supervise(fakeChild(), { start: fakeChild, log, onGivingUp }) };
}

beforeEach(() => {
  pids = 0;
  children.length = 0;
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

test("starts a program that ended again, later each time, and gives up at the sixth end within a minute", async () => {
  const { supervisor, log, onGivingUp } = supervised();
  for (const [restarts, delay] of [100, 200, 400, 800, 1_600].entries()) {
    children[restarts]!.end(KILLED);
    await vi.advanceTimersByTimeAsync(delay - 1);
    expect(children).toHaveLength(restarts + 1);
    await vi.advanceTimersByTimeAsync(1);
    expect(supervisor.pid).toBe(restarts + 2);
  }
  expect(onGivingUp).not.toHaveBeenCalled();
  children[5]!.end({ code: 1, signal: null });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(children).toHaveLength(6);
  expect(onGivingUp).toHaveBeenCalledOnce();
  expect(log).toHaveBeenLastCalledWith("workerd ended (code 1), 6 times within a minute: giving up");
});

test("forgets ends that are more than a minute old", async () => {
  const { onGivingUp } = supervised();
  for (let ends = 0; ends < 12; ends++) {
    children.at(-1)!.end(KILLED);
    await vi.advanceTimersByTimeAsync(15_000);
  }
  expect(children).toHaveLength(13);
  expect(onGivingUp).not.toHaveBeenCalled();
});

test("starts nothing after a stop, also when it falls between an end and its restart", async () => {
  const { supervisor, onGivingUp } = supervised();
  children[0]!.end(KILLED);
  await vi.advanceTimersByTimeAsync(50);
  await supervisor.stop(1_000);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(children).toHaveLength(1);
  expect(onGivingUp).not.toHaveBeenCalled();
});
