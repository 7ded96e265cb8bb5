// The selected block of cells, and what a person does with it.

import { SlickRange } from "slickgrid";
import { clearing, extending, filling, pasting, reverting } from "./acts.js";
import { OWN, read, tiled, toTSV } from "./clipboard.js";

export class Selected {
  constructor(view, grid, model) {
    Object.assign(this, { view, grid, model });
  }

  // {range, rows, columns}: by place, and by name. Null where nothing is selected.
  get block() {
    const active = this.grid.getActiveCell();
    const range = this.model.getSelectedRanges()[0] ?? (active && new SlickRange(active.row, active.cell));
    return range ? { range, ...this.#named(range) } : null;
  }

  #named({ fromRow, toRow, fromCell, toCell }) {
    return { rows: this.view.table.rows.slice(fromRow, toRow + 1), columns: this.#columns(fromCell, toCell + 1) };
  }

  #columns(from, to) {
    return this.grid.getColumns().slice(from, to).flatMap(({ spec }) => spec?.name ?? []);
  }

  // ---- what is selected ----

  select(fromRow, fromCell, toRow, toCell) {
    this.model.setSelectedRanges([new SlickRange(fromRow, fromCell, toRow, toCell)]);
  }

  get #last() {
    return { row: this.view.table.rows.length - 1, cell: this.grid.getColumns().length - 1 };
  }

  row(at = this.grid.getActiveCell()?.row) {
    if (at === undefined) return;
    this.grid.setActiveCell(at, 1);
    this.select(at, 1, at, this.#last.cell);
  }

  all() {
    this.grid.setActiveCell(0, 1);
    this.select(0, 1, this.#last.row, this.#last.cell);
  }

  // From the active cell to this one.
  upTo(row, cell) {
    const active = this.grid.getActiveCell();
    if (active) this.select(active.row, active.cell, row, Math.max(1, cell));
  }

  // To a row and a column by their places; null: where it is.
  go(row, cell) {
    const active = this.grid.getActiveCell();
    if (active) this.grid.setActiveCell(Math.min(row ?? active.row, this.#last.row), Math.max(1, Math.min(cell ?? active.cell, this.#last.cell)));
  }

  // ---- what is done with it ----

  clear() {
    this.#do(clearing);
  }

  revert() {
    this.#do(reverting, { mayBeDeleted: true });
  }

  toggle() {
    const { rows, columns } = this.block;
    const { table } = this.view;
    if (this.view.isOpen(rows.slice(0, 1))) this.view.type(rows[0], columns[0], table.text(rows[0], columns[0]) === "True" ? "False" : "True");
  }

  fill() {
    this.#do((block) => filling(this.view.table, block, this.view.table.rows[block.range.fromRow - 1]));
  }

  // The corner of the selection was dragged.
  extend(from, to) {
    if (!to.contains(from.fromRow, from.fromCell) || !to.contains(from.toRow, from.toCell)) return;
    const before = { rows: from.fromRow - to.fromRow, columns: from.fromCell - to.fromCell };
    const target = this.#named(to);
    if (this.view.isOpen(target.rows)) this.view.do(extending(this.view.table, this.#named(from), target, before));
  }

  #do(act, { mayBeDeleted = false } = {}) {
    const { block, view } = this;
    if (!block || view.isReadonly || !(mayBeDeleted || view.isOpen(block.rows))) return;
    const event = act(block);
    if (event) view.do(event);
  }

  // ---- the clipboard ----

  clipboard(event) {
    const { block, view } = this;
    if (!block) return;
    event.preventDefault();
    if (event.type === "paste") return this.#paste(block, event.clipboardData);
    const texts = block.rows.map((row) => block.columns.map((name) => view.table.text(row, name)));
    event.clipboardData.setData("text/plain", toTSV(texts));
    event.clipboardData.setData(OWN, JSON.stringify(texts));
    if (event.type === "cut") this.clear();
  }

  #paste({ range, rows, columns }, data) {
    const { view } = this;
    const block = read(data.getData(OWN), data.getData("text/html"), data.getData("text/plain"));
    if (!block || view.isReadonly) return;
    const texts = tiled(block, rows.length, columns.length);
    const [height, width] = [texts.length, texts[0].length];
    const names = this.#columns(range.fromCell);
    if (width > names.length) {
      view.bar.say(`Nothing was pasted: the block is ${width} columns wide, and from here there are ${names.length}. Start further left, or show hidden columns.`);
      return;
    }
    const old = view.table.rows.slice(range.fromRow, range.fromRow + height);
    if (!view.isOpen(old)) return;
    view.do(pasting(old, names.slice(0, width), texts, view.names(height - old.length)));
    const first = Math.max(1, range.fromCell);
    this.select(range.fromRow, first, range.fromRow + height - 1, first + width - 1);
  }
}
