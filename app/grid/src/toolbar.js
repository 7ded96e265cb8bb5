// What stands above and below the grid. It only calls the view.

import { listed } from "./keys.js";
import { button, later, make } from "./make.js";
import { Menu } from "./menu.js";

const SHOWN = [["", "All rows"], ["changed", "Changed rows"], ["problems", "Rows with problems"]];

export class Toolbar {
  constructor(view) {
    this.view = view;
    this.#makeEditing();
    this.#makeLooking();
    this.top = make(
      "div",
      { className: "tl-bar", role: "toolbar" },
      this.undo, this.redo, this.line, this.add, this.count, this.remove, make("i"),
      this.search, this.only, this.jump, this.story, this.columns, this.help,
    );
    this.rows = make("span", { className: "tl-rows" });
    this.all = make("button", { type: "button", className: "tl-all", textContent: "Show all rows", onclick: () => view.look.allRows() });
    this.why = make("span", { className: "tl-why", role: "status" });
    this.wait = make("span", { className: "tl-wait" });
    this.notice = make("div", { className: "tl-notice", role: "alert", hidden: true, onclick: () => (this.notice.hidden = true) });
    this.bottom = make("div", { className: "tl-status" }, this.rows, this.all, this.why, this.wait);
  }

  #makeEditing() {
    const { view } = this;
    this.undo = button("undo", "", "Undo (Ctrl+Z)", () => view.undo());
    this.redo = button("redo", "", "Redo (Ctrl+Y)", () => view.redo());
    this.line = make("i");
    this.count = make("input", { type: "number", min: 1, max: 1000, value: 1, className: "tl-count", title: "How many rows to add", ariaLabel: "How many rows to add" });
    this.add = button("add", "Add rows", "Add rows below the selected one", () => view.addRows(Number(this.count.value) || 1));
    this.remove = button("remove", "Delete rows", "Delete the selected rows, or bring them back (Ctrl+-)", () => view.toggleRows());
  }

  #makeLooking() {
    const { view } = this;
    this.search = make("input", { type: "search", placeholder: "Search", title: "Search all columns (Ctrl+F)", ariaLabel: "Search all columns", className: "tl-search" });
    this.search.oninput = () => later(this, () => view.look.query({ search: this.search.value }));
    this.only = make("select", { title: "Which rows to show", ariaLabel: "Which rows to show" });
    for (const [value, text] of SHOWN) this.only.add(new Option(text, value));
    this.only.onchange = () => view.look.query({ only: this.only.value });
    this.jump = make("input", { type: "text", className: "tl-jump", title: "Go to a row by its key (Ctrl+G)", ariaLabel: "Go to a row by its key" });
    this.jump.addEventListener("keydown", ({ key }) => key === "Enter" && view.look.find(this.jump.value));
    for (const input of [this.search, this.jump]) input.addEventListener("keydown", (event) => event.key === "Escape" && view.grid.focus());
    this.story = button("story", "", "Story of the selected cell: who set it, when and why (Ctrl+I)", () => view.story());
    this.story.classList.add("tl-icon");
    this.columns = dropdown(view, "columns", "", "Which columns to show", (menu) => this.#choices(menu));
    this.help = dropdown(view, "", "?", "Keys", () => [keysOf(view)]);
  }

  refresh() {
    const { table, isReadonly, hasStories } = this.view;
    this.story.hidden = !hasStories;
    const { past, future, added, deleted } = table.model;
    this.undo.disabled = !past.length;
    this.redo.disabled = !future.length;
    for (const node of [this.undo, this.redo, this.line, this.add, this.count, this.remove]) node.hidden = isReadonly;
    const total = table.ids.length + added.filter(([row]) => !deleted.has(row)).length;
    const rows = `${total.toLocaleString("en")} ${total === 1 ? "row" : "rows"}`;
    this.rows.textContent = table.rows.length === total ? rows : `${table.rows.length.toLocaleString("en")} of ${rows}`;
    this.rows.classList.toggle("tl-filtered", table.rows.length !== total);
    this.all.hidden = !table.isFiltered;
    this.jump.placeholder = `Go to ${table.columns.filter(({ key }) => key).map(({ name }) => name).join(", ") || "row"}`;
  }

  say(text) {
    this.notice.textContent = text;
    this.notice.hidden = false;
    clearTimeout(this.fade);
    this.fade = setTimeout(() => (this.notice.hidden = true), 12_000);
  }

  #choices(menu) {
    const { view } = this;
    const all = make("button", { type: "button", textContent: "Show all", onclick: () => (view.look.allColumns(), menu.show(...this.#choices(menu))) });
    return [...view.table.columns.map((column) => this.#choice(column)), all];
  }

  #choice({ name, key }) {
    const box = make("input", { type: "checkbox", checked: !this.view.look.hidden.has(name), disabled: Boolean(key) });
    box.onchange = () => this.view.look.hide(name, !box.checked);
    return make("label", {}, box, name);
  }
}

// A button with a menu below it.
function dropdown(view, icon, label, title, fill) {
  const anchor = make("span", { className: "tl-anchor" });
  const menu = new Menu(anchor, view.life.signal);
  const opener = button(icon, label, title, () => (menu.isOpen ? menu.close() : menu.show(...fill(menu))));
  opener.classList.add("tl-icon");
  anchor.append(opener, menu.panel);
  return anchor;
}

function keysOf(view) {
  const rows = listed(view).map(([keys, does]) => make("tr", {}, make("th", { textContent: keys }), make("td", { textContent: does })));
  return make("table", { className: "tl-keys" }, ...rows);
}

// One filter a column, in the row below the headers.
export function filterInput(view, node, column) {
  node.replaceChildren();
  if (!column.spec) return;
  const input = make("input", {
    type: "text",
    value: view.table.query.filters[column.spec.name] ?? "",
    ariaLabel: `Filter ${column.spec.name}`,
    placeholder: "filter",
    title: "text   =text   !text   >5   5..10   null   !null",
    spellcheck: false,
  });
  input.oninput = () => later(input, () => view.look.filter(column.spec.name, input.value));
  node.append(input);
}
