import { describe, expect, test } from "vitest";
import { PushRules } from "../../src/push/push-rules.ts";
import { checkPattern, checkTopic, covers } from "../../src/push/topic.ts";
import { TopicTree } from "../../src/push/topic-tree.ts";

const INVALID = expect.objectContaining({ code: "INVALID_ARGUMENT" });

describe("topics", () => {
  test.each(["room", "room/42", "a/b/c/d/e/f/g/h", "Zürich/💬", "x".repeat(256)])("[PUSH6] %j is one", (topic) => {
    expect(checkTopic(topic)).toEqual(topic.split("/"));
  });

  test.each([
    "",
    "/",
    "a/",
    "/a",
    "a//b",
    "room/*",
    "a*",
    "**",
    "a\nb",
    "a/b/c/d/e/f/g/h/i",
    "x".repeat(257),
    "💬".repeat(65),
    7,
    null,
  ])("[PUSH6] %j is none", (topic) => {
    expect(() => checkTopic(topic)).toThrow(INVALID);
  });

  test.each(["*", "**", "room/*", "room/**", "*/x", "room/*/x"])("[PUSH6] %j is a pattern", (pattern) => {
    expect(checkPattern(pattern)).toEqual(pattern.split("/"));
  });

  test.each(["**/x", "a**", "***", "room*"])("[PUSH6] %j is no pattern", (pattern) => {
    expect(() => checkPattern(pattern)).toThrow(INVALID);
  });

  const CASES: readonly [outer: string, inner: string, covered: boolean][] = [
    ["room/1", "room/1", true],
    ["room/*", "room/1", true],
    ["room/*", "room", false],
    ["room/*", "room/1/x", false],
    ["room/**", "room/1/x", true],
    ["room/**", "room", false],
    ["**", "room", true],
    ["*", "room/1", false],
    ["*/1", "room/1", true],
    ["room/*", "room/*", true],
    ["room/*", "room/**", false],
    ["room/1", "room/*", false],
    ["*", "**", false],
    ["**", "**", true],
  ];

  test.each(CASES)("[PUSH6] %j covers %j: %j", (outer, inner, covered) => {
    expect(covers(outer.split("/"), inner.split("/"))).toBe(covered);
  });

  test("[PUSH6] the tree finds what comparing each pattern finds, also after some are gone", () => {
    const names = ["a", "b", "*"];
    const patterns = names.flatMap((one) => [one, ...[...names, "**"].flatMap((two) => [`${one}/${two}`])]);
    patterns.push("**", "a/b/c", "a/*/c", "a/b/**");
    const topics = ["a", "b", "c", "a/a", "a/b", "b/c", "a/b/c", "a/x/c", "b/b/c", "a/b/c/d"];
    const tree = new TopicTree<string>();
    for (const pattern of patterns) tree.add(pattern.split("/"), pattern);
    for (let left = patterns; left.length > 0; left = left.slice(3)) {
      for (const topic of topics) {
        const segments = topic.split("/");
        const expected = left.filter((pattern) => covers(pattern.split("/"), segments));
        expect([...tree.of(segments)].sort()).toEqual(expected.sort());
      }
      for (const pattern of left.slice(0, 3)) tree.remove(pattern.split("/"), pattern);
    }
    expect([...tree.of(["a"])]).toEqual([]);
  });

  test("[PUSH6] a value under several patterns is found once", () => {
    const tree = new TopicTree<string>();
    for (const pattern of ["a/b", "a/*", "**"]) tree.add(pattern.split("/"), "me");
    expect([...tree.of(["a", "b"])]).toEqual(["me"]);
  });
});

describe("who may do what", () => {
  const ann = { id: "ann", roles: ["member"] };
  const rules = new PushRules({
    topics: {
      "room/*": { anonymous: true },
      "members/**": {},
      "staff/*": { roles: ["staff", "admin"] },
      "user/*": { owner: true },
    },
    origins: ["https://app.example"],
  });
  const listens = (identity: typeof ann | null, pattern: string) => {
    try {
      rules.checkListen(identity, checkPattern(pattern));
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: "ACCESS_DENIED" });
      return false;
    }
  };

  test("[PUSH5] what no rule names is denied, also to patterns that are wider than a rule", () => {
    expect(listens(ann, "other/1")).toBe(false);
    expect(listens(ann, "**")).toBe(false);
    expect(listens(ann, "*/1")).toBe(false);
    expect(listens(null, "room/**")).toBe(false);
    expect(new PushRules({}).checkListen.bind(new PushRules({}), ann, ["room"])).toThrow();
  });

  test("[PUSH5] anonymous clients, those who are known, roles, and owners", () => {
    expect([listens(null, "room/1"), listens(null, "room/*"), listens(ann, "room/1")]).toEqual([true, true, true]);
    expect([listens(null, "members/a"), listens(ann, "members/a/b")]).toEqual([false, true]);
    expect([listens(ann, "staff/a"), listens({ id: "bo", roles: ["admin"] }, "staff/a")]).toEqual([false, true]);
    expect([listens(ann, "user/ann"), listens(ann, "user/bo"), listens(ann, "user/*")]).toEqual([true, false, false]);
    expect(listens({ id: "*", roles: [] }, "user/*")).toBe(false);
  });

  test("[PUSH5] who may connect: by its own rule, else whoever may listen to any topic", () => {
    const codes = (push: ConstructorParameters<typeof PushRules>[0]) =>
      [null, ann].map((identity) => {
        try {
          new PushRules(push).checkConnect(identity);
          return "may";
        } catch (error) {
          return (error as { code: string }).code;
        }
      });
    expect(codes({})).toEqual(["UNAUTHENTICATED", "ACCESS_DENIED"]);
    expect(codes({ connect: {} })).toEqual(["UNAUTHENTICATED", "may"]);
    expect(codes({ connect: { anonymous: true } })).toEqual(["may", "may"]);
    expect(codes({ connect: { roles: ["admin"] } })).toEqual(["UNAUTHENTICATED", "ACCESS_DENIED"]);
    expect(codes({ topics: { a: { anonymous: true } } })).toEqual(["may", "may"]);
    expect(codes({ topics: { a: {} } })).toEqual(["UNAUTHENTICATED", "may"]);
  });

  test("[PUSH5] pages of other sites may not connect unless the host names them", () => {
    const from = (origin: string | null) => {
      try {
        rules.checkOrigin(origin, "host.example:8787");
        return true;
      } catch {
        return false;
      }
    };
    expect([null, "http://host.example:8787", "https://app.example"].map(from)).toEqual([true, true, true]);
    expect(["https://evil.example", "https://host.example", "null", "x"].map(from)).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(() => new PushRules({ origins: ["*"] }).checkOrigin("null", "h")).not.toThrow();
  });

  test("[PUSH5] a pattern that is none is said when the host is defined", () => {
    expect(() => new PushRules({ topics: { "a//b": {} } })).toThrow(INVALID);
  });
});
