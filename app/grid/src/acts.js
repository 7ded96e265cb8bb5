// What a person does with rows and columns, as events (see model.js). Pure. Rows are ids, in the order in which they are
// shown; a block is {rows, columns}.

import { UNTOUCHED } from "./model.js";

// Half of a surrogate pair is no character, and can be stored nowhere.
const sound = (text) => text?.replace(/\p{Surrogate}/gu, "\ufffd") ?? null;

export const typing = (row, column, text) => ({ set: [[[row], [column], [[sound(text)]]]] });

export const clearing = ({ rows, columns }) => ({ set: [[rows, columns, null]] });

// As the table has it, whatever was typed.
export const reverting = ({ rows, columns }) => ({ set: [[rows, columns, UNTOUCHED]], rest: rows });

// The first row of a block into all below it; into a block of one row, the row above it.
export function filling(table, { rows, columns }, above) {
  const [source, ...targets] = rows.length > 1 ? rows : [above, ...rows];
  return source === undefined ? null : { set: columns.map((name) => [targets, [name], table.text(source, name)]) };
}

// A block repeated over a larger one that it is a part of: what dragging its corner does. `before` is how many rows and
// columns of the larger one come before it.
export function extending(table, from, to, before) {
  const source = (i, j) => table.text(turn(from.rows, i - before.rows), turn(from.columns, j - before.columns));
  const texts = (rows, columns) => rows.map((row) => columns.map((name) => source(to.rows.indexOf(row), to.columns.indexOf(name))));
  const rows = to.rows.filter((row) => !from.rows.includes(row));
  const columns = to.columns.filter((name) => !from.columns.includes(name));
  const blocks = [[rows, to.columns], [from.rows, columns]].filter((block) => block.every((part) => part.length));
  return { set: blocks.map((block) => [...block, texts(...block)]) };
}

const turn = (list, at) => list[((at % list.length) + list.length) % list.length];

// Texts over rows, and into new ones below where there are more texts than rows.
export const pasting = (rows, columns, texts, fresh) => ({
  add: fresh.map((row) => [row, null]),
  set: [[[...rows, ...fresh], columns, texts.map((line) => line.map(sound))]],
});

// New rows one below the other, the first one below `after`; without it, at the end.
export const adding = (after, fresh) => ({ add: fresh.map((row, number) => [row, number && after !== null ? fresh[number - 1] : after]) });

// Delete rows; where all of them are deleted, bring them back.
export function toggling(table, rows) {
  const isGone = rows.every((row) => table.model.deleted.has(row));
  return isGone ? { rest: rows } : { del: rows.filter((row) => !table.model.deleted.has(row)) };
}
