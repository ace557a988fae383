import { expect, test } from "vitest";
import { dotenv } from "../../local/dotenv.ts";

test("quotes a value with what it doesn't hold, and keeps dollars from being expanded", () => {
  expect(dotenv({ A: "plain # $HOME", B: "it's", C: "two\nlines" })).toBe(
    "A='plain # \\$HOME'\nB=`it's`\nC='two\nlines'\n",
  );
});

test("refuses a value that no quotes can hold", () => {
  expect(() => dotenv({ A: "'`" })).toThrow("A holds both");
});
