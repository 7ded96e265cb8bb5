// The grid on the screen: what is typed, shown and said, over a Table. SlickGrid draws it (slick.js).

import { Absence } from "./absence.js";
import { adding, toggling, typing } from "./acts.js";
import { columnsOf, shown } from "./columns.js";
import { editorOf } from "./editor.js";
import { keeping, viewport } from "./keeping.js";
import { Look } from "./look.js";
import { make } from "./make.js";
import { Marks } from "./marks.js";
import { Menu } from "./menu.js";
import { Model } from "./model.js";
import { offered } from "./offered.js";
import { Selected } from "./selected.js";
import { redraw, slickOf } from "./slick.js";
import { Table } from "./table.js";
import { Toolbar } from "./toolbar.js";

export class View {
  // `send` takes an event that happened here, `ask` the place {row, column} of a cell whose story is asked for.
  constructor(root, send, ask, name) {
    Object.assign(this, { root, send, ask, name, marks: new Marks(), isReadonly: false, hasStories: false, serial: 0 });
    this.place = make("div", { className: "tl-grid" });
    this.lists = make("div", { hidden: true });
    this.life = new AbortController();
    this.menu = new Menu(null, this.life.signal);
    this.look = new Look(this);
    this.bar = new Toolbar(this);
    root.append(this.bar.top, this.place, this.bar.notice, this.bar.bottom, this.menu.panel, this.lists);
    root.addEventListener("keydown", (event) => event.stopPropagation()); // Streamlit has keys of its own
    for (const kind of ["copy", "cut", "paste"]) root.addEventListener(kind, (event) => this.#clipboard(event));
    const { signal } = this.life;
    document.addEventListener("pointerdown", (event) => this.#touched(event.target), { capture: true, signal });
    document.addEventListener("focusin", (event) => this.#touched(event.target), { signal });
    this.absence = new Absence(this);
    this.sizes = new ResizeObserver(() => this.#resized());
    this.sizes.observe(this.place);
  }

  // Never to be shown again.
  end() {
    this.life.abort();
    this.sizes.disconnect();
    this.grid?.destroy();
  }

  // Put on the screen again: where it was, and with the keyboard if it had it.
  attached() {
    if (!this.grid) return;
    Object.assign(viewport(this), this.scrolled);
    if (this.hasKeyboard) (this.grid.getCellEditor() ?? this.grid).focus();
  }

  // ---- what Python says ----

  start(raw, state, pending) {
    this.confirmed = new Model(state);
    keeping(this, () => {
      const before = this.table;
      const model = this.#replayed(pending);
      this.table = raw ? new Table(raw, model) : Object.assign(this.table, { model });
      if (before) this.table.query = before.query;
      this.arrange();
      if (!this.grid || raw) this.#build();
      else this.repaint();
    });
  }

  go(confirmed, foreign, pending) {
    for (const event of confirmed) this.confirmed.apply(event);
    if (!foreign) return;
    keeping(this, () => {
      this.table.model = this.#replayed(pending);
      this.arrange();
      this.repaint();
    });
  }

  showMarks(told) {
    const before = this.marks;
    this.marks = new Marks(told);
    const { top, bottom } = this.grid.getRenderedRange();
    const seen = this.table.rows.slice(Math.max(0, top - 10), bottom + 11);
    this.repaint(new Set(seen.filter((row) => !this.marks.isSame(row, before))));
  }

  // What may be done here: only read; and ask for stories.
  setMode(isReadonly, hasStories) {
    if (isReadonly === this.isReadonly && hasStories === this.hasStories) return;
    Object.assign(this, { isReadonly, hasStories });
    this.root.classList.toggle("tl-readonly", isReadonly);
    this.bar.refresh();
  }

  // Show a cell: of a row by its id, or of the first column.
  jump(row, column) {
    this.commit();
    if (!this.table.rows.includes(row)) this.look.allRows();
    const at = this.table.rows.indexOf(row);
    if (at < 0) return this.bar.say("This row is no longer in the table.");
    if (column && this.look.hidden.has(column)) this.look.hide(column, false);
    const { top, bottom } = this.grid.getViewport();
    if (at < top || at >= bottom - 2) this.grid.scrollRowToTop(Math.max(0, at - 3));
    this.#reveal(row, column);
    this.grid.focus();
  }

  // ---- what a person changes ----

  do(event) {
    const delta = this.isReadonly ? null : this.table.model.apply(event);
    if (!delta) return null;
    this.send(event);
    const isMoved = this.table.settle(delta);
    this.repaint(isMoved ? null : new Set([...delta.set.map(([row]) => row), ...delta.del, ...delta.rest]));
    return delta;
  }

  type(row, column, text) {
    if (this.table.text(row, column) !== text) this.do(typing(row, column, text));
  }

  edit(event) {
    this.grid.editActiveCell(undefined, false, event);
  }

  undo() {
    this.#back({ undo: 1 });
  }

  redo() {
    this.#back({ redo: 1 });
  }

  addRows(count) {
    this.commit();
    const active = this.grid.getActiveCell();
    const rows = this.names(Math.min(Math.max(1, Math.trunc(count)), 1000));
    this.do(adding(active ? this.table.rows[active.row] : null, rows));
    this.jump(rows[0], null);
  }

  // Delete the selected rows; where all of them are deleted, bring them back.
  toggleRows() {
    this.commit();
    const rows = this.selected.block?.rows ?? [];
    if (!rows.length) return this.bar.say("Select a cell of each row to delete first.");
    this.do(toggling(this.table, rows));
    this.grid.focus();
  }

  commit() {
    this.grid?.getEditorLock().commitCurrentEdit();
  }

  // Names for new rows.
  names(count) {
    return Array.from({ length: count }, () => `+${this.name}.${++this.serial}`);
  }

  // ---- what cells and menus ask ----

  // The menu of a cell.
  offer(event, place) {
    event.preventDefault();
    const { x, y } = this.root.getBoundingClientRect();
    this.menu.showAt(event.clientX - x, event.clientY - y, ...offered(this, place));
  }

  story() {
    this.commit();
    const row = this.table.rows[this.grid.getActiveCell()?.row];
    const column = this.activeSpec()?.name;
    if (row && column) this.ask({ row, column });
    else this.bar.say("Select a cell first.");
  }

  explain(row, column) {
    const mark = this.marks.of(row, column);
    const parts = mark ? [mark[1]] : [];
    if (this.table.rowMark(row)) parts.push(`This row is ${this.table.rowMark(row)}.`);
    else if (this.table.isChanged(row, column)) parts.push(`Was ${shown(this.table.base(row, column))}.`);
    return parts.join("\n");
  }

  activeSpec() {
    const active = this.grid?.getActiveCell();
    return active && this.grid.getColumns()[active.cell]?.spec;
  }

  // Whether cells of these rows may be changed; says why not.
  isOpen(rows) {
    if (this.isReadonly) return false;
    const gone = rows.filter((row) => this.table.model.deleted.has(row)).length;
    if (gone) this.bar.say(`${gone === 1 ? "A row here is" : `${gone} rows here are`} deleted. Bring ${gone === 1 ? "it" : "them"} back first (Ctrl+-).`);
    return !gone;
  }

  // ---- on the screen ----

  // Draw rows anew: these, or all.
  repaint(rows = null) {
    if (!this.grid) return;
    redraw(this.grid, rows && ((at) => rows.has(this.table.rows[at])));
    this.bar.refresh();
    this.explainActive();
  }

  explainActive() {
    const row = this.table.rows[this.grid.getActiveCell()?.row];
    const spec = this.activeSpec();
    this.bar.why.textContent = row && spec ? this.explain(row, spec.name).replaceAll("\n", " · ") : "";
  }

  #build() {
    this.grid?.destroy();
    this.place.replaceChildren();
    this.lists.replaceChildren();
    this.columns = columnsOf(this, editorOf(this));
    const { grid, model } = slickOf(this);
    this.grid = grid;
    this.selected = new Selected(this, grid, model);
    this.bar.refresh();
  }

  arrange() {
    this.table.arrange((row) => this.marks.isBad(row));
  }

  #replayed(pending) {
    const model = this.confirmed.clone();
    for (const event of pending) model.apply(event);
    return model;
  }

  #back(event) {
    this.commit();
    const delta = this.do(event);
    if (!delta) return;
    const [row, column] = delta.set[0] ?? [delta.add[0]?.[0] ?? delta.rest[0] ?? delta.del[0], null];
    if (row && this.table.rows.includes(row)) this.#reveal(row, column);
    this.grid.focus();
  }

  // Go to a cell without moving the table where it can be seen already.
  #reveal(row, column) {
    const at = this.table.rows.indexOf(row);
    const cell = this.grid.getColumns().findIndex(({ spec }) => spec && (!column || spec.name === column));
    if (cell > 0) this.grid.setActiveCell(at, cell);
  }

  #clipboard(event) {
    if (!this.grid || this.grid.getCellEditor() || event.target.closest?.("input, textarea, select")) return;
    this.selected.clipboard(event);
  }

  // Whoever goes elsewhere has finished typing.
  #touched(target) {
    this.hasKeyboard = this.place.contains(target) && !target.closest(".slick-headerrow");
    if (!this.place.contains(target)) this.commit();
  }

  // Off the screen everything has the size 0, and SlickGrid, which finds the active row by its place, takes it for the
  // first one.
  #resized() {
    if (this.grid && this.place.offsetHeight) keeping(this, () => this.grid.resizeCanvas()); // which closes an editor
  }
}
