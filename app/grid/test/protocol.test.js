import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox } from "../src/protocol.js";

const table = { ids: [], columns: [], texts: [] };
const start = (more) => ({ to: "A", epoch: 1, version: 0, since: 0, entries: [], acked: 0, table, state: {}, ...more });
const go = (more) => ({ to: "A", epoch: 1, version: 0, since: 0, entries: [], acked: 0, ...more });

const names = () => {
  const left = ["A", "B", "C"];
  return () => left.shift();
};

function open() {
  const outbox = new Outbox(names());
  assert.equal(outbox.receive(start()).kind, "start");
  return outbox;
}

test("an instance that knows nothing asks, and takes a start that was meant for another", () => {
  const outbox = new Outbox(names());
  assert.equal(outbox.receive(go()).kind, "ask");
  assert.equal(outbox.message().have, false);
  assert.equal(outbox.receive(start({ to: "gone" })).kind, "start");
  assert.equal(outbox.message().have, true);
});

test("all that is not acknowledged is sent again and again", () => {
  const outbox = open();
  ["a", "b", "c"].forEach((event) => outbox.push(event));
  assert.deepEqual(outbox.message().events, [[1, "a"], [2, "b"], [3, "c"]]);
  const done = outbox.receive(go({ version: 2, entries: [[2, 2]] }));
  assert.deepEqual([done.confirmed, done.foreign, done.pending], [["a", "b"], false, ["c"]]);
  assert.deepEqual(outbox.message(), { instance: "A", epoch: 1, seen: 2, have: true, marks: null, events: [[3, "c"]] });
});

test("an answer that comes twice, or late, changes nothing", () => {
  const outbox = open();
  outbox.push("a");
  const answer = go({ version: 2, entries: [[1, 1], { undo: 1 }] });
  assert.equal(outbox.receive(answer).foreign, true);
  const again = outbox.receive(answer);
  assert.deepEqual([again.confirmed, again.foreign], [[], false]);
  outbox.receive(go({ version: 1, entries: [[1, 1]] }));
  assert.equal(outbox.version, 2);
});

test("what others did comes before what is pending", () => {
  const outbox = open();
  ["a", "b"].forEach((event) => outbox.push(event));
  const done = outbox.receive(go({ version: 3, entries: [[1, 1], { undo: 1 }, { del: ["x"] }] }));
  assert.deepEqual(done, { kind: "go", confirmed: ["a", { undo: 1 }, { del: ["x"] }], foreign: true, pending: ["b"] });
});

test("a new epoch keeps what was typed meanwhile", () => {
  const outbox = open();
  ["a", "b"].forEach((event) => outbox.push(event));
  const begun = outbox.receive(start({ epoch: 2, acked: 1 }));
  assert.deepEqual(begun.pending, ["b"]);
  assert.deepEqual(outbox.message().events, [[2, "b"]]);
  assert.equal(outbox.message().epoch, 2);
});

test("an answer with a hole, of another epoch or for another instance is no use", () => {
  const outbox = open();
  outbox.push("a");
  assert.equal(outbox.receive(go({ since: 3, version: 4, entries: [{ undo: 1 }] })).kind, "ask");
  assert.equal(outbox.receive(go({ epoch: 2 })).kind, "ask");
  assert.equal(outbox.receive(go({ to: "B" })).kind, "ask");
  assert.equal(outbox.receive(start({ to: "B", epoch: 2 })).kind, "ask");
  assert.deepEqual(outbox.message().events, [[1, "a"]]);
});

test("Python was started again: what is pending comes from a new instance", () => {
  const outbox = open();
  ["a", "b"].forEach((event) => outbox.push(event));
  outbox.receive(go({ version: 1, entries: [[1, 1]] }));
  assert.deepEqual(outbox.receive(start({ epoch: 9 })).pending, ["b"]);
  assert.deepEqual([outbox.message().instance, outbox.message().events], ["B", [[1, "b"]]]);
});
