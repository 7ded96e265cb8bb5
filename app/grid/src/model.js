// What was typed so far, as a function of events in their order. Pure, and the twin of app/editing/gridlog.py: both sides
// apply the same events in the same order and so hold the same state.
//
// event   {set: [[rows, columns, texts]], add: [[row, after]], del: [row], rest: [row]}, each part where it is needed,
//         or {undo: 1}, or {redo: 1}. `texts` is one list a row, or one text (or null) for every cell of the block.
// delta   what an event did: {set: [[row, column, old, new]], add, unadd, del, rest}; turned around it is undo.
// texts   a string, null, or UNTOUCHED where nobody has typed yet.

export const UNTOUCHED = 0;

export class Model {
  constructor({ cells = {}, added = [], deleted = [], past = [], future = [] } = {}) {
    this.cells = new Map(Object.entries(cells).map(([row, texts]) => [row, new Map(Object.entries(texts))]));
    this.added = added.map((each) => [...each]);
    this.deleted = new Set(deleted);
    this.past = [...past];
    this.future = [...future];
  }

  clone() {
    const twin = new Model();
    twin.cells = new Map([...this.cells].map(([row, texts]) => [row, new Map(texts)]));
    twin.added = [...this.added];
    twin.deleted = new Set(this.deleted);
    twin.past = [...this.past];
    twin.future = [...this.future];
    return twin;
  }

  toJSON() {
    const cells = Object.fromEntries([...this.cells].map(([row, texts]) => [row, Object.fromEntries(texts)]));
    return { cells, added: this.added, deleted: [...this.deleted], past: this.past, future: this.future };
  }

  text(row, column) {
    return this.cells.get(row)?.get(column) ?? (this.cells.get(row)?.has(column) ? null : UNTOUCHED);
  }

  isAdded(row) {
    return this.added.some(([each]) => each === row);
  }

  // Apply one event. Returns its delta; null where it changes nothing.
  apply(event) {
    if (event.undo) return this.#step(this.past, this.future, invert);
    if (event.redo) return this.#step(this.future, this.past, (delta) => delta);
    const delta = this.#plan(event);
    if (isEmpty(delta)) return null;
    this.#patch(delta);
    this.past.push(delta);
    this.future = [];
    return delta;
  }

  #step(from, to, turn) {
    const delta = from.pop();
    if (delta === undefined) return null;
    to.push(delta);
    const turned = turn(delta);
    this.#patch(turned);
    return turned;
  }

  #plan({ set = [], add = [], del = [], rest = [] }) {
    const known = new Set(this.added.map(([row]) => row));
    const restored = new Set(rest.filter((row) => this.deleted.has(row)));
    return {
      set: this.#edits(set),
      add: unique(add, ([row]) => row).filter(([row]) => !known.has(row)),
      unadd: [],
      del: [...new Set(del)].filter((row) => !this.deleted.has(row) || restored.has(row)),
      rest: [...restored],
    };
  }

  #edits(blocks) {
    const edits = new Map();
    for (const [row, column, text] of cellsOf(blocks)) {
      const place = JSON.stringify([row, column]);
      edits.set(place, [row, column, edits.get(place)?.[2] ?? this.text(row, column), text]);
    }
    return [...edits.values()].filter(([, , old, text]) => old !== text);
  }

  #patch({ set, add, unadd, del, rest }) {
    const gone = new Set(unadd.map(([row]) => row));
    if (gone.size) this.added = this.added.filter(([row]) => !gone.has(row));
    this.added.push(...add);
    for (const [row, column, , text] of set) this.#put(row, column, text);
    for (const row of rest) this.deleted.delete(row);
    for (const row of del) this.deleted.add(row);
  }

  #put(row, column, text) {
    const texts = this.cells.get(row) ?? new Map();
    if (text === UNTOUCHED) texts.delete(column);
    else texts.set(column, text);
    if (texts.size) this.cells.set(row, texts);
    else this.cells.delete(row);
  }
}

export function invert({ set, add, unadd, del, rest }) {
  return {
    set: set.map(([row, column, old, text]) => [row, column, text, old]),
    add: unadd,
    unadd: add,
    del: rest,
    rest: del,
  };
}

// Every cell of the blocks of a `set`: [row, column, text].
export function* cellsOf(blocks) {
  for (const [rows, columns, texts] of blocks) {
    for (let i = 0; i < rows.length; i++) {
      for (let j = 0; j < columns.length; j++) {
        yield [rows[i], columns[j], Array.isArray(texts) ? texts[i][j] : texts];
      }
    }
  }
}

const isEmpty = (delta) => Object.values(delta).every((part) => part.length === 0);

const unique = (items, name) => [...new Map(items.map((item) => [name(item), item]).reverse()).values()].reverse();
