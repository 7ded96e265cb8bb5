// What the menu of a cell offers.

import { make } from "./make.js";

// `place` is the cell {row, cell} that was asked; where it is not in the selection, it becomes the selection.
export function offered(view, place) {
  const { selected, grid, table } = view;
  if (!isWithin(selected.block?.range, place)) grid.setActiveCell(place.row, Math.max(1, place.cell));
  const { rows, columns } = selected.block;
  const many = rows.length === 1 ? "row" : `${rows.length.toLocaleString("en")} rows`;
  const isGone = rows.every((row) => table.model.deleted.has(row));
  const isChanged = rows.some((row) => table.model.deleted.has(row) || columns.some((name) => table.isChanged(row, name)));
  const writes = [
    ["Set to null", "Delete", () => selected.clear(), !isGone],
    ["Fill down", "Ctrl+D", () => selected.fill(), !isGone],
    ["Take back the changes here", "", () => selected.revert(), isChanged],
    ["Add a row below", "", () => view.addRows(1), true],
    [`${isGone ? "Bring back" : "Delete"} ${many}`, "Ctrl+-", () => view.toggleRows(), true],
  ];
  const reads = [
    ["Copy", "Ctrl+C", () => document.execCommand("copy"), true],
    ...(view.hasStories ? [["Story of this cell", "Ctrl+I", () => view.story(), true]] : []),
  ];
  return [...reads, ...(view.isReadonly ? [] : writes)].map((each) => item(view, each));
}

const isWithin = (range, { row, cell }) => range?.contains(row, Math.max(1, cell));

function item(view, [text, keys, act, isEnabled]) {
  const onclick = () => {
    view.menu.close();
    view.grid.focus();
    act();
  };
  return make("button", { type: "button", className: "tl-item", disabled: !isEnabled, onclick }, make("span", { textContent: text }), make("kbd", { textContent: keys }));
}
