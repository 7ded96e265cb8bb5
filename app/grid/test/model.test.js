import assert from "node:assert/strict";
import { test } from "node:test";
import { Model, UNTOUCHED } from "../src/model.js";

const plain = (model) => JSON.parse(JSON.stringify(model));

test("a block is one step, and undo takes all of it back", () => {
  const model = new Model();
  const before = plain(model);
  model.apply({ add: [["+1", null]], set: [[["a", "+1"], ["x", "y"], [["1", "12,5"], [null, "n/a"]]]] });
  assert.equal(model.text("a", "y"), "12,5");
  assert.equal(model.text("+1", "x"), null);
  assert.equal(model.text("b", "x"), UNTOUCHED);
  model.apply({ undo: 1 });
  assert.deepEqual({ ...plain(model), future: [] }, before);
  model.apply({ redo: 1 });
  assert.equal(model.text("+1", "y"), "n/a");
});

test("null and the empty text are not the same", () => {
  const model = new Model();
  model.apply({ set: [[["a"], ["x", "y"], [[null, '""']]]] });
  assert.equal(model.text("a", "x"), null);
  assert.equal(model.text("a", "y"), '""');
  model.apply({ undo: 1 });
  assert.equal(model.text("a", "x"), UNTOUCHED);
});

test("one text fills a block", () => {
  const model = new Model();
  model.apply({ set: [[["a", "b"], ["x"], "7"]] });
  assert.equal(model.text("b", "x"), "7");
});

test("an event that changes nothing is no step", () => {
  const model = new Model();
  model.apply({ set: [[["a"], ["x"], "7"]] });
  assert.equal(model.apply({ set: [[["a"], ["x"], "7"]] }), null);
  assert.equal(model.apply({ rest: ["a"] }), null);
  assert.equal(model.past.length, 1);
});

test("deleted rows keep what was typed and come back with it", () => {
  const model = new Model();
  model.apply({ set: [[["a"], ["x"], "7"]] });
  model.apply({ del: ["a", "a"] });
  assert.deepEqual([...model.deleted], ["a"]);
  model.apply({ undo: 1 });
  assert.equal(model.deleted.size, 0);
  assert.equal(model.text("a", "x"), "7");
});

test("a new edit ends the way forward", () => {
  const model = new Model();
  model.apply({ set: [[["a"], ["x"], "1"]] });
  model.apply({ undo: 1 });
  model.apply({ set: [[["a"], ["x"], "2"]] });
  assert.equal(model.apply({ redo: 1 }), null);
});

test("a clone lives its own life, and a copy through JSON is equal", () => {
  const model = new Model();
  model.apply({ set: [[["a"], ["x"], "1"]], add: [["+1", "a"]], del: ["b"] });
  const twin = model.clone();
  assert.deepEqual(plain(new Model(plain(model))), plain(twin));
  twin.apply({ set: [[["a"], ["x"], "2"]] });
  assert.equal(model.text("a", "x"), "1");
});
