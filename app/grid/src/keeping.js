// Where a person is in the grid: what is selected, what stands in an open editor, what can be seen. It stays as it is
// while rows move, or the grid is made anew, under their hands.

// Nothing is committed meanwhile: `change` would not know of it.
export function keeping(view, change) {
  const held = hold(view);
  if (held?.input) view.grid.getEditorLock().cancelCurrentEdit();
  change();
  if (held) restore(view, held);
}

export const viewport = (view) => view.place.querySelector(".slick-viewport-top.slick-viewport-right");

export function scrolled(view) {
  const { scrollTop, scrollLeft } = viewport(view);
  return { scrollTop, scrollLeft };
}

function hold(view) {
  const active = view.grid?.getActiveCell();
  const spec = view.activeSpec();
  if (!active || !spec) return null;
  const input = view.grid.getCellEditor()?.input;
  const { value, selectionStart, selectionEnd } = input ?? {};
  const isFocused = view.place.contains(document.activeElement) && !document.activeElement.closest("input");
  return { row: view.table.rows[active.row], column: spec.name, ...scrolled(view), input, value, selectionStart, selectionEnd, isFocused };
}

function restore(view, { row, column, scrollTop, scrollLeft, input, value, selectionStart, selectionEnd, isFocused }) {
  const again = reopened(view, row, column, Boolean(input));
  if (again) {
    again.value = value;
    again.setSelectionRange(selectionStart, selectionEnd);
  } else if (input) view.type(row, column, value === "" ? null : value);
  else if (isFocused) view.grid.focus();
  Object.assign(viewport(view), { scrollTop, scrollLeft });
}

// The input of the editor that was open, where it can be opened again.
function reopened(view, row, column, wasOpen) {
  const at = view.table.rows.indexOf(row);
  const cell = view.grid.getColumns().findIndex(({ spec }) => spec?.name === column);
  if (at < 0 || cell < 0) return null;
  view.grid.setActiveCell(at, cell);
  // Off the screen SlickGrid finds no place: rather no active cell than the wrong one.
  if (view.grid.getActiveCell()?.row !== at) view.grid.resetActiveCell();
  else if (wasOpen) view.grid.editActiveCell();
  return view.grid.getCellEditor()?.input;
}
