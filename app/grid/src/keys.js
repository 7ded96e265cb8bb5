// What keys do on the grid, beside moving about (which is SlickGrid's own), and the list of them for people.

const edits = true;
const LIST = [
  { keys: "Enter, F2", does: "change the text of a cell; Esc leaves it as it was", edits },
  { keys: "any letter", does: "type over a cell", edits },
  { keys: "Alt+Enter", does: "a new line in a cell", edits },
  { keys: "Delete", does: "set cells to null", edits },
  { keys: "Space", does: "turn True and False over", edits },
  { keys: "Ctrl+C, Ctrl+X, Ctrl+V", does: "copy, cut, paste; also from and to a spreadsheet" },
  { keys: "Ctrl+D", does: "fill down; or drag the corner of the selection", edits },
  { keys: "Ctrl+Z, Ctrl+Y", does: "undo, redo", edits },
  { keys: "Ctrl+-", does: "delete the selected rows, or bring them back", edits },
  { keys: "Shift+arrows, Shift+click", does: "select a block; or drag" },
  { keys: "Shift+Space, Ctrl+A", does: "select the row, select everything" },
  { keys: "Ctrl+arrows", does: "go to the first or last row or column" },
  { keys: "Ctrl+I", does: "the story of a cell: who set it, when and why", tells: true },
  { keys: "Ctrl+F, Ctrl+G", does: "search; go to a row by its key" },
];

const MAC = /mac|iphone|ipad/i.test(globalThis.navigator?.platform ?? "");

// [keys, what they do]
export function listed({ isReadonly, hasStories }) {
  return LIST.filter(({ edits, tells }) => !(isReadonly && edits) && (hasStories || !tells)).map(({ keys, does }) => [MAC ? keys.replaceAll("Ctrl+", "⌘") : keys, does]);
}

// What a key that was pressed on a cell (not in an editor) asks for; nothing, where it is none of ours.
export function asked(view, event) {
  if (event.ctrlKey || event.metaKey) return withControl(view, event);
  return event.altKey ? null : plain(view, event);
}

function withControl(view, { key, shiftKey }) {
  const name = key.toLowerCase();
  const reads = { a: () => view.selected.all(), f: () => view.bar.search.focus(), g: () => view.bar.jump.focus(), i: view.hasStories && (() => view.story()) };
  const moves = shiftKey ? {} : { arrowup: [0, null], arrowdown: [Infinity, null], arrowleft: [null, 0], arrowright: [null, Infinity] };
  if (moves[name]) return () => view.selected.go(...moves[name]);
  if (reads[name] || view.isReadonly) return reads[name];
  const writes = { z: () => (shiftKey ? view.redo() : view.undo()), y: () => view.redo(), d: () => view.selected.fill(), "-": () => view.toggleRows() };
  return writes[name];
}

function plain(view, { key, shiftKey }) {
  if (key === " " && shiftKey) return () => view.selected.row();
  if (key === "F2") return () => view.edit();
  if (view.isReadonly) return null;
  if (key === "Delete" || key === "Backspace") return () => view.selected.clear();
  if (key === " " && view.activeSpec()?.type === "boolean") return () => view.selected.toggle();
  return null;
}

export const isTyped = ({ key, ctrlKey, metaKey, altKey }) => [...key].length === 1 && !ctrlKey && !metaKey && !altKey;
