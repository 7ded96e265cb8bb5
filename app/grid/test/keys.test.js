import assert from "node:assert/strict";
import { test } from "node:test";
import { asked, listed } from "../src/keys.js";

function view({ isReadonly = false, type = "number" } = {}) {
  const done = [];
  const note = (name) => (...words) => done.push([name, ...words].join(" "));
  const selected = new Proxy({}, { get: (_target, name) => note(name) });
  const bar = { search: { focus: note("search") }, jump: { focus: note("jump") } };
  const acts = Object.fromEntries(["undo", "redo", "toggleRows", "edit"].map((name) => [name, note(name)]));
  return { isReadonly, selected, bar, ...acts, activeSpec: () => ({ type }), done };
}

function press(name, here = view()) {
  const [key, ...held] = name.split("+").reverse().map((part) => (part === "" ? "-" : part));
  const event = { key, ctrlKey: held.includes("Ctrl"), shiftKey: held.includes("Shift"), altKey: held.includes("Alt") };
  asked(here, event)?.();
  return here.done.join();
}

test("keys do what the list says", () => {
  const told = { "Ctrl+z": "undo", "Ctrl+Shift+Z": "redo", "Ctrl+y": "redo", "Ctrl+d": "fill", Delete: "clear", F2: "edit", "Ctrl+a": "all", "Ctrl+f": "search", "Ctrl+g": "jump", "Shift+ ": "row" };
  for (const [keys, does] of Object.entries(told)) assert.equal(press(keys), does, keys);
});

test("Space turns a boolean over, and is a letter elsewhere", () => {
  assert.equal(press(" ", view({ type: "boolean" })), "toggle");
  assert.equal(press(" "), "");
});

test("a table that is only to be read is searched and copied, and keeps its cells", () => {
  for (const keys of ["Ctrl+z", "Ctrl+y", "Ctrl+d", "Delete", "Backspace"]) assert.equal(press(keys, view({ isReadonly: true })), "", keys);
  assert.equal(press("Ctrl+f", view({ isReadonly: true })), "search");
  assert.equal(press("F2", view({ isReadonly: true })), "edit"); // to read the whole text
  assert.ok(listed({ isReadonly: true }).length < listed({ isReadonly: false }).length);
});

test("the story of a cell is asked for where somebody tells stories", () => {
  const here = (hasStories) => ({ ...view({ isReadonly: true }), hasStories, story: () => "story" });
  assert.equal(asked(here(true), { ctrlKey: true, key: "i" })(), "story");
  assert.ok(!asked(here(false), { ctrlKey: true, key: "i" }));
  assert.equal(listed(here(true)).length, listed(here(false)).length + 1);
});
