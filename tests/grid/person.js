// A grid without a screen, for test_together.py: the modules that it is made of, told line by line what a person does.
// Answers each line with what it would send, and with what it shows.

import { createInterface } from "node:readline";
import * as acts from "../../app/grid/src/acts.js";
import { Model } from "../../app/grid/src/model.js";
import { Outbox } from "../../app/grid/src/protocol.js";
import { Table } from "../../app/grid/src/table.js";

let grids = 0;
let fresh = 0;
let here;

function replayed(pending) {
  const model = here.confirmed.clone();
  pending.forEach((event) => model.apply(event));
  return model;
}

// What a person does is said by places on the screen: `at` and `height` of a block of rows as they are shown now.
const deeds = {
  write: ({ rows, columns, texts }) => acts.pasting(rows, columns, texts, named(texts.length - rows.length)),
  clear: (block) => acts.clearing(block),
  fill: (block) => acts.filling(here.table, block, here.table.rows[block.at - 1]),
  extend: ({ rows, columns, to }) => acts.extending(here.table, { rows, columns }, { rows: here.table.rows.slice(to.at, to.at + to.height), columns: to.columns }, to.before),
  revert: (block) => acts.reverting(block),
  add: ({ rows, count }) => acts.adding(rows[0] ?? null, named(count)),
  toggle: ({ rows }) => (rows.length ? acts.toggling(here.table, rows) : null),
  step: ({ event }) => event,
};

const named = (count) => Array.from({ length: Math.max(0, count) }, () => `+${++fresh}`);

const told = {
  open() {
    here = { outbox: new Outbox(() => `grid${++grids}`), confirmed: null, table: null };
  },
  hear({ answer }) {
    const todo = here.outbox.receive(answer);
    if (todo.kind === "start") {
      here.confirmed = new Model(todo.state);
      const model = replayed(todo.pending);
      here.table = todo.table ? new Table(todo.table, model) : Object.assign(here.table, { model });
      here.table.arrange();
    } else if (todo.kind === "go") {
      todo.confirmed.forEach((event) => here.confirmed.apply(event));
      if (todo.foreign) {
        here.table.model = replayed(todo.pending);
        here.table.arrange();
      }
    }
  },
  look({ query }) {
    Object.assign(here.table.query, query);
    here.table.arrange();
  },
  do({ deed, at = 0, height = 0, ...more }) {
    const event = deeds[deed]({ ...more, at, rows: here.table.rows.slice(at, at + height) });
    const delta = event && here.table.model.apply(event);
    if (!delta) return;
    here.outbox.push(event);
    here.table.settle(delta);
  },
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const words = JSON.parse(line);
  told[words.act](words);
  const { table, outbox } = here;
  const shown = (table?.rows ?? []).map((row) => [row, table.columns.map(({ name }) => table.text(row, name)), table.rowMark(row)]);
  console.log(JSON.stringify({ message: outbox.message(), shown }));
});
