import assert from "node:assert/strict";
import { test } from "node:test";
import { Marks } from "../src/marks.js";

const told = { cells: { a: { n: ["error", 0], "": ["warn", 1] }, b: { n: ["warn", 1] } }, texts: ["too deep", "odd"] };

test("marks say what is wrong with a cell, and whether a row has an error", () => {
  const marks = new Marks(told);
  assert.deepEqual(marks.of("a", "n"), ["error", "too deep"]);
  assert.deepEqual(marks.of("a", ""), ["warn", "odd"]);
  assert.equal(marks.of("a", "t"), null);
  assert.deepEqual(["a", "b", "c"].map((row) => marks.isBad(row)), [true, false, false]);
});

test("rows look the same where kind and message are, whatever their numbers", () => {
  const [marks, others] = [new Marks(told), new Marks({ cells: { b: { n: ["warn", 0] } }, texts: ["odd"] })];
  assert.deepEqual(["a", "b", "c"].map((row) => marks.isSame(row, others)), [false, true, true]);
});
