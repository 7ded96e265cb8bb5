// SlickGrid, as this grid uses it.

import { SlickCellRangeSelector, SlickCellSelectionModel, SlickGrid } from "slickgrid";
import { asked, isTyped } from "./keys.js";
import { scrolled } from "./keeping.js";
import { filterInput } from "./toolbar.js";

const OPTIONS = {
  rowHeight: 27,
  headerRowHeight: 30,
  showHeaderRow: true,
  editable: true, // an editor of a table that is only to be read lets nobody write
  autoEdit: false,
  autoCommitEdit: true,
  enableColumnReorder: false,
  enableHtmlRendering: false,
  enableTextSelectionOnCells: false,
  multiColumnSort: true,
  tristateMultiColumnSort: true,
  numberedMultiColumnSort: true,
  throwWhenFrozenNotAllViewable: false,
  dataItemColumnValueExtractor: () => "",
  invalidColumnFreezeWidthCallback: () => {},
  invalidColumnFreezePickerCallback: () => {},
};

// A grid over view.table, in view.place: {grid, model}, the model being that of the selection.
export function slickOf(view) {
  const data = { getLength: () => view.table.rows.length, getItem: (at) => view.table.rows[at] };
  const frozenColumn = view.table.columns.filter(({ key }) => key).length;
  const grid = new SlickGrid(view.place, data, view.look.columns(), { ...OPTIONS, frozenColumn });
  grid.onKeyDown.subscribe((event) => press(view, grid, event)); // before the selection's own keys
  const model = selectionOf();
  grid.setSelectionModel(model);
  model.setOptions({ selectionType: "cell" }); // which has a corner to drag
  grid.onScroll.subscribe(() => (view.scrolled = scrolled(view)));
  grid.onSort.subscribe((_event, { sortCols }) => view.look.sort(sortCols));
  grid.onBeforeEditCell.subscribe((_event, { item }) => view.isReadonly || view.isOpen([item]));
  grid.onClick.subscribe((event, { row, cell }) => click(view, event, row, cell));
  grid.onContextMenu.subscribe((event) => view.offer(event, grid.getCellFromEvent(event)));
  grid.onActiveCellChanged.subscribe(() => view.explainActive());
  grid.onDragReplaceCells.subscribe((_event, { prevSelectedRange, selectedRange }) => view.selected.extend(prevSelectedRange, selectedRange));
  grid.onHeaderRowCellRendered.subscribe((_event, { node, column }) => filterInput(view, node, column));
  grid.setColumns(view.look.columns()); // draws the filters, now that somebody listens
  grid.setSortColumns(view.table.query.sort.map(({ name, descending }) => ({ columnId: `c${view.table.numbers.get(name)}`, sortAsc: !descending })));
  return { grid, model };
}

function selectionOf() {
  const look = { border: "2px solid var(--tl-accent)", background: "var(--tl-range)" };
  const cellRangeSelector = new SlickCellRangeSelector({ selectionCss: look, copyToSelectionCss: look });
  return new SlickCellSelectionModel({ selectActiveCell: true, cellRangeSelector });
}

function press(view, grid, event) {
  if (grid.getCellEditor()) return;
  const act = asked(view, event);
  if (act) {
    event.preventDefault();
    event.stopImmediatePropagation();
    act();
  } else if (isTyped(event) && view.activeSpec() && !view.isReadonly) view.edit(event); // which takes the key itself
}

function click(view, event, row, cell) {
  if (event.shiftKey) {
    event.stopImmediatePropagation(); // the active cell stays where it is
    view.selected.upTo(row, cell);
    view.grid.focus();
  } else if (cell === 0) view.selected.row(row);
}

// Draw the rows anew for which `isStale(place)`; without it, all. An open editor stays open, with its text: its cell is
// left alone.
export function redraw(grid, isStale) {
  const { top, bottom } = grid.getRenderedRange();
  const open = grid.getCellEditor() ? grid.getActiveCell() : null;
  if (!isStale) grid.updateRowCount();
  const near = Array.from({ length: bottom - top + 21 }, (_, number) => Math.max(0, top - 10) + number);
  const stale = near.filter((at) => isStale?.(at) ?? true);
  if (open && (isStale?.(open.row) ?? true)) grid.getColumns().forEach((_column, at) => at !== open.cell && grid.updateCell(open.row, at));
  grid.invalidateRows(stale.filter((at) => at !== open?.row));
  grid.render();
}
