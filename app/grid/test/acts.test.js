import assert from "node:assert/strict";
import { test } from "node:test";
import { adding, extending, filling, pasting, reverting, toggling, typing } from "../src/acts.js";
import { Model, UNTOUCHED } from "../src/model.js";
import { Table } from "../src/table.js";

const columns = [{ name: "n", type: "integer" }, { name: "t", type: "string" }];
const open = () => new Table({ ids: ["a", "b", "c", "d"], columns, texts: [["1", "2", "3", "4"], ["x", null, "z", "w"]] }, new Model());
const texts = (table, name) => table.ids.map((row) => table.text(row, name));

test("fill down takes the first row of a block, or the row above a single one", () => {
  const table = open();
  table.model.apply(filling(table, { rows: ["b", "c", "d"], columns: ["n", "t"] }, "a"));
  assert.deepEqual([texts(table, "n"), texts(table, "t")], [["1", "2", "2", "2"], ["x", null, null, null]]);
  table.model.apply(filling(table, { rows: ["b"], columns: ["n"] }, "a"));
  assert.deepEqual(texts(table, "n"), ["1", "1", "2", "2"]);
  assert.equal(filling(table, { rows: ["a"], columns: ["n"] }, undefined), null);
});

test("a dragged corner repeats the block, upwards and to the side, too", () => {
  const down = open();
  const from = { rows: ["a", "b"], columns: ["n"] };
  down.model.apply(extending(down, from, { rows: ["a", "b", "c", "d"], columns: ["n", "t"] }, { rows: 0, columns: 0 }));
  assert.deepEqual([texts(down, "n"), texts(down, "t")], [["1", "2", "1", "2"], ["1", "2", "1", "2"]]);
  const up = open();
  up.model.apply(extending(up, { rows: ["c", "d"], columns: ["n"] }, { rows: ["b", "c", "d"], columns: ["n"] }, { rows: 1, columns: 0 }));
  assert.deepEqual(texts(up, "n"), ["1", "4", "3", "4"]);
  assert.deepEqual([...up.model.cells.keys()], ["b"]);
});

test("what is taken back is as the table has it, and a deleted row is there again", () => {
  const table = open();
  table.model.apply(typing("a", "n", "7"));
  table.model.apply(toggling(table, ["a", "b"]));
  table.model.apply(reverting({ rows: ["a", "b"], columns: ["n", "t"] }));
  assert.equal(table.model.text("a", "n"), UNTOUCHED);
  assert.equal(table.model.deleted.size, 0);
  table.model.apply({ undo: 1 });
  assert.deepEqual([table.text("a", "n"), [...table.model.deleted]], ["7", ["a", "b"]]);
});

test("rows are deleted, and where all of them are, brought back", () => {
  const table = open();
  table.model.apply(toggling(table, ["a"]));
  assert.deepEqual(toggling(table, ["a", "b"]), { del: ["b"] });
  assert.deepEqual(toggling(table, ["a"]), { rest: ["a"] });
});

test("new rows stand one below the other", () => {
  assert.deepEqual(adding("a", ["+1", "+2"]), { add: [["+1", "a"], ["+2", "+1"]] });
  assert.deepEqual(adding(null, ["+1", "+2"]), { add: [["+1", null], ["+2", null]] });
});

test("half a character becomes the sign for one that is missing, all others stay", () => {
  assert.equal(typing("a", "t", "x\ud83d").set[0][2][0][0], "x\ufffd");
  assert.deepEqual(pasting(["a"], ["t"], [["🐟", null]], []).set[0][2], [["🐟", null]]);
});
