import assert from "node:assert/strict";
import { test } from "node:test";
import { comparator, matcher } from "../src/filter.js";
import { Model } from "../src/model.js";
import { Table } from "../src/table.js";

const columns = [{ name: "n", type: "integer" }, { name: "t", type: "string" }];
const open = () => new Table({ ids: ["a", "b", "c"], columns, texts: [["2", "10", null], ["x", "y", "z"]] }, new Model());

function lets(filter, type, texts) {
  return texts.filter(matcher(filter, type));
}

test("filters", () => {
  const numbers = ["2", "10", "12,5", null, "-1"];
  assert.deepEqual(lets(">2", "number", numbers), ["10"]);
  assert.deepEqual(lets("2..10", "integer", numbers), ["2", "10"]);
  assert.deepEqual(lets("=10.0", "number", numbers), ["10"]);
  assert.deepEqual(lets("=12,5", "number", numbers), ["12,5"]);
  assert.deepEqual(lets("!=10", "number", numbers), ["2", "12,5", null, "-1"]);
  assert.deepEqual(lets("null", "number", numbers), [null]);
  assert.deepEqual(lets("!null", "string", ["null", null]), ["null"]);
  assert.deepEqual(lets("!x", "string", ["X", "y", null]), ["y", null]);
  assert.deepEqual(lets(">=2024-05-05", "datetime", ["2024-05-04 18:00:00", "2024-05-05 01:00:00"]), ["2024-05-05 01:00:00"]);
  assert.deepEqual(lets("", "string", ["a"]), ["a"]);
  assert.deepEqual(lets(">", "string", ["a>b", "c"]), ["a>b"]);
});

test("numbers are ordered as numbers, what is none after them, null last both ways", () => {
  const numbers = ["10", null, "n/a", "9"];
  assert.deepEqual([...numbers].sort(comparator("number")), ["9", "10", "n/a", null]);
  assert.deepEqual([...numbers].sort(comparator("number", true)), ["10", "9", "n/a", null]);
});

test("rows stay where they are when a cell is edited, until they are arranged again", () => {
  const table = open();
  table.query.sort = [{ name: "n", descending: false }];
  table.arrange();
  assert.deepEqual(table.rows, ["a", "b", "c"]);
  table.model.apply({ set: [[["a"], ["n"], "99"]] });
  assert.deepEqual(table.rows, ["a", "b", "c"]);
  table.arrange();
  assert.deepEqual(table.rows, ["b", "a", "c"]);
});

test("added rows stand after the row that they were added after, also while sorted", () => {
  const table = open();
  table.query.sort = [{ name: "n", descending: true }];
  table.arrange();
  assert.deepEqual(table.rows, ["b", "a", "c"]);
  table.settle(table.model.apply({ add: [["+1", "a"], ["+2", "+1"]] }));
  assert.deepEqual(table.rows, ["b", "a", "+1", "+2", "c"]);
  table.query.sort = [];
  table.arrange();
  assert.deepEqual(table.rows, ["a", "+1", "+2", "b", "c"]);
  table.settle(table.model.apply({ undo: 1 }));
  assert.deepEqual(table.rows, ["a", "b", "c"]);
});

test("rows added at the end keep their order", () => {
  const table = open();
  table.model.apply({ add: [["+1", null], ["+2", null]] });
  table.arrange();
  assert.deepEqual(table.rows, ["a", "b", "c", "+1", "+2"]);
});

test("a deleted row stays to be seen, an added one is gone and comes back", () => {
  const table = open();
  table.settle(table.model.apply({ add: [["+1", "b"]] }));
  table.settle(table.model.apply({ del: ["b", "+1"] }));
  assert.deepEqual(table.rows, ["a", "b", "c"]);
  assert.equal(table.rowMark("b"), "deleted");
  table.settle(table.model.apply({ undo: 1 }));
  assert.deepEqual(table.rows, ["a", "b", "+1", "c"]);
});

test("only what was changed", () => {
  const table = open();
  table.model.apply({ set: [[["a", "b"], ["n"], [["2"], ["3"]]]] });
  table.query.only = "changed";
  table.arrange();
  assert.deepEqual(table.rows, ["b"]);
});
