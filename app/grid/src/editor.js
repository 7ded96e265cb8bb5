// The editor of one cell. Whatever is typed or pasted into it is taken as it stands, line breaks, too: Python says
// whether it fits the column.

import { make } from "./make.js";

export function editorOf(view) {
  return class Editor {
    constructor(args) {
      this.args = args;
      this.row = args.item; // the row's id: the text belongs to it, wherever it is shown by then
      this.column = args.column.spec;
      const list = this.column.options;
      this.input = make(list ? "input" : "textarea", {
        className: "tl-editor",
        spellcheck: false,
        placeholder: this.column.hint || "null",
        ariaLabel: this.column.name,
        readOnly: view.isReadonly,
      });
      if (list) this.input.setAttribute("list", listOf(view, this.column));
      this.input.addEventListener("keydown", (event) => this.#key(event));
      this.input.addEventListener("input", () => this.#fit());
      args.container.append(this.input);
      this.input.focus();
    }

    // A text that its cell cannot hold is edited in a larger box above it.
    #fit() {
      const { input } = this;
      if (this.isLong || input.tagName === "INPUT") return;
      this.isLong = /[\r\n]/.test(input.value) || input.scrollWidth > input.clientWidth + 1;
      input.classList.toggle("tl-long", this.isLong);
    }

    #key(event) {
      if (event.isComposing) return event.stopPropagation();
      const { key, altKey, shiftKey } = event;
      const selects = event.ctrlKey || event.metaKey || (shiftKey && key.startsWith("Arrow"));
      if (selects) event.stopPropagation(); // text, not cells
      else if (key === "Enter" && altKey) this.#break(event);
      else if (key === "Enter") this.#leave(event, shiftKey);
      else if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(key)) event.stopPropagation(); // they move in the text, not in the grid
      else if (this.isLong && ["ArrowUp", "ArrowDown", "PageUp", "PageDown"].includes(key)) event.stopPropagation();
    }

    #break(event) {
      event.stopPropagation();
      event.preventDefault();
      const { input } = this;
      if (input.tagName === "INPUT" || input.readOnly) return;
      input.setRangeText("\n", input.selectionStart, input.selectionEnd, "end");
      this.#fit();
    }

    #leave(event, isUp) {
      event.preventDefault();
      event.stopPropagation();
      const { grid } = this.args;
      if (!grid.getEditorLock().commitCurrentEdit()) return;
      if (isUp) grid.navigateUp();
      else grid.navigateDown();
      grid.focus();
    }

    destroy() {
      this.input.remove();
    }

    focus() {
      this.input.focus();
    }

    // A key that is typed on the cell replaces its text; all else opens the text as it is.
    loadValue() {
      this.input.value = view.table.text(this.row, this.column.name) ?? "";
      this.before = this.input.value;
      const key = this.args.event?.key;
      if (key && [...key].length === 1) this.input.value = "";
      else if (key === "Enter") this.input.select();
      this.#fit();
    }

    serializeValue() {
      return this.input.value;
    }

    applyValue(_item, text) {
      view.type(this.row, this.column.name, text === "" ? null : text);
    }

    isValueChanged() {
      return !this.input.readOnly && this.input.value !== this.before;
    }

    validate() {
      return { valid: true, msg: null };
    }
  };
}

// The name of the list of what a column suggests.
function listOf(view, { name, options }) {
  const id = `${view.name}-${view.table.numbers.get(name)}`;
  if (!document.getElementById(id)) view.lists.append(make("datalist", { id }, ...options.map((value) => make("option", { value }))));
  return id;
}
