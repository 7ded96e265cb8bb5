// What of the table a person looks at: which rows, in which order, and which columns.

import { keeping } from "./keeping.js";

export class Look {
  constructor(view) {
    this.view = view;
    this.hidden = new Set(); // names of columns
  }

  query(more) {
    const { view } = this;
    view.commit();
    Object.assign(view.table.query, more);
    view.arrange();
    view.repaint();
    view.grid.resetActiveCell();
    view.grid.scrollRowToTop(0);
  }

  filter(name, text) {
    const filters = { ...this.view.table.query.filters };
    if (text.trim()) filters[name] = text;
    else delete filters[name];
    this.query({ filters });
  }

  sort(sortCols) {
    this.query({ sort: sortCols.map(({ sortCol, sortAsc }) => ({ name: sortCol.spec.name, descending: !sortAsc })) });
  }

  allRows() {
    const { view } = this;
    view.commit();
    Object.assign(view.table.query, { filters: {}, search: "", only: "" });
    for (const input of [view.bar.search, view.bar.only, ...view.place.querySelectorAll(".slick-headerrow input")]) input.value = "";
    keeping(view, () => {
      view.arrange();
      view.repaint();
    });
  }

  // To the row with the key that somebody typed.
  find(text) {
    const { row, key } = this.view.table.find(text);
    if (row) this.view.jump(row, null);
    else this.view.bar.say(`No row has ${key}.`);
  }

  hide(name, isHidden) {
    this.view.commit();
    if (isHidden) this.hidden.add(name);
    else this.hidden.delete(name);
    this.view.grid.setColumns(this.columns());
  }

  allColumns() {
    this.hidden.clear();
    this.view.grid.setColumns(this.columns());
  }

  // SlickGrid's columns that are to be seen.
  columns() {
    return this.view.columns.filter(({ spec }) => !spec || !this.hidden.has(spec.name));
  }
}
