// The rows as the grid shows them: the table of the epoch, what was typed over it, sorted and filtered. Pure.
//
// table   {ids: [row], columns: [{name, type, unit, ...}], texts: [one list of texts a column]}

import { UNTOUCHED } from "./model.js";
import { comparator, matcher, searcher } from "./filter.js";

export class Table {
  constructor({ ids, columns, texts }, model) {
    this.ids = ids;
    this.columns = columns;
    this.texts = texts;
    this.model = model;
    this.places = new Map(ids.map((id, place) => [id, place]));
    this.numbers = new Map(columns.map((column, number) => [column.name, number]));
    this.rows = ids;
    this.query = { filters: {}, search: "", only: "", sort: [] };
  }

  base(row, column) {
    const place = this.places.get(row);
    return place === undefined ? null : this.texts[this.numbers.get(column)][place];
  }

  text(row, column) {
    const typed = this.model.text(row, column);
    return typed === UNTOUCHED ? this.base(row, column) : typed;
  }

  // changed, added, deleted or "" where it is as it was
  rowMark(row) {
    if (this.model.deleted.has(row)) return "deleted";
    return this.places.has(row) ? "" : "added";
  }

  isChanged(row, column) {
    const typed = this.model.text(row, column);
    return typed !== UNTOUCHED && typed !== this.base(row, column);
  }

  isTouched(row) {
    if (this.rowMark(row)) return true;
    return [...(this.model.cells.get(row)?.keys() ?? [])].some((column) => this.isChanged(row, column));
  }

  // Whether some rows are left out.
  get isFiltered() {
    const { filters, search, only } = this.query;
    return Boolean(Object.keys(filters).length || search.trim() || only);
  }

  // All rows in the table's order, each added one after the row that it was added after. Deleted rows of the table
  // stay to be seen; an added one that is deleted is gone.
  all() {
    const added = this.model.added.filter(([row]) => !this.places.has(row));
    if (!added.length) return this.ids;
    return woven(this.ids, added).filter((row) => this.places.has(row) || !this.model.deleted.has(row));
  }

  // The row with this key, said like `4, 1`, or the first one whose key begins so; and the key as it was understood.
  find(said) {
    const keys = this.columns.filter(({ key }) => key).map(({ name }) => name);
    const parts = keys.length > 1 ? said.trim().split(/\s*[,;\t]\s*|\s+/) : [said.trim()];
    const wanted = parts.map((part) => part.toLowerCase());
    const isIt = (row) => wanted.every((part, at) => (this.text(row, keys[at]) ?? "").toLowerCase() === part);
    const row = parts.length <= keys.length ? (this.rows.find(isIt) ?? this.all().find(isIt)) : undefined;
    return { row, key: parts.map((part, at) => `${keys[at] ?? "more"} ${part}`).join(", ") };
  }

  // Sort and filter anew. It happens when somebody asks for it, never because a cell was edited: a row must not run
  // away from under the cursor.
  arrange(hasProblem = () => false) {
    const { filters, search, only, sort } = this.query;
    const tests = Object.entries(filters).map(([name, text]) => {
      const test = matcher(text, this.columns[this.numbers.get(name)].type);
      return (row) => test(this.text(row, name));
    });
    const found = searcher(search);
    if (found) tests.push((row) => this.columns.some(({ name }) => found(this.text(row, name))));
    if (only === "changed") tests.push((row) => this.isTouched(row));
    if (only === "problems") tests.push(hasProblem);
    const rows = this.all();
    this.rows = tests.length ? rows.filter((row) => tests.every((test) => test(row))) : sort.length ? [...rows] : rows;
    if (sort.length) this.#sort(sort);
  }

  #sort(sort) {
    const orders = sort.map(({ name, descending }) => {
      const compare = comparator(this.columns[this.numbers.get(name)].type, descending);
      return (a, b) => compare(this.text(a, name), this.text(b, name));
    });
    this.rows.sort((a, b) => orders.reduce((order, compare) => order || compare(a, b), 0));
  }

  // Rows that came or went since the rows were arranged, at the places where they belong. Whether any did.
  settle({ add, unadd, del, rest }) {
    const isGuest = (row) => !this.places.has(row);
    const gone = new Set([...unadd.map(([row]) => row), ...del.filter(isGuest)]);
    const fresh = new Set([...add.map(([row]) => row), ...rest.filter(isGuest)]);
    if (!gone.size && !fresh.size) return false;
    const stay = this.rows.filter((row) => !gone.has(row) && !fresh.has(row));
    const come = this.model.added.filter(([row]) => fresh.has(row) && !this.model.deleted.has(row));
    this.rows = woven(stay, come);
    return true;
  }
}

// `rows` with the added ones, [row, after], in between: right after their row, the latest first; without one ("") at
// the top; where there is no such row, or none is named (null), at the end.
function woven(rows, added) {
  const known = new Set([...rows, ...added.map(([row]) => row)]);
  const after = new Map();
  const end = [];
  for (const [row, anchor] of added) {
    if (anchor !== "" && !known.has(anchor)) end.push(row);
    else after.set(anchor, [...(after.get(anchor) ?? []), row]);
  }
  const todo = [...end.reverse(), ...[...rows].reverse(), ...(after.get("") ?? [])];
  const ordered = [];
  while (todo.length) {
    const row = todo.pop();
    ordered.push(row);
    if (after.has(row)) todo.push(...after.get(row));
  }
  return ordered;
}
