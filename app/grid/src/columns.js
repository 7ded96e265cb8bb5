// The columns as SlickGrid takes them, and how a cell looks.

const LONGEST = 400; // characters of a text that a cell shows
const TOLD = 2000; // characters of a text that a tooltip shows
const [NARROWEST, WIDEST, LETTER, EDGES] = [56, 240, 7.4, 22]; // pixels
const SAMPLE = 200; // rows whose texts make a column as wide as it is
const WORDS = { error: "tl-bad", warn: "tl-warn", theirs: "tl-theirs" };
const SIGNS = { deleted: ["−", "deleted"], added: ["+", "added"], changed: ["●", "changed"], error: ["!", "has a problem"] };

export function columnsOf(view, Editor) {
  const gutter = {
    id: "tl-mark",
    name: "",
    width: 24,
    minWidth: 24,
    resizable: false,
    focusable: false,
    selectable: true, // so that a selection may reach it; it has no column
    cssClass: "tl-gutter",
    formatter: (_row, _cell, _value, _column, id) => markOf(view, id),
  };
  return [gutter, ...view.table.columns.map((spec, number) => columnOf(view, spec, number, Editor))];
}

function columnOf(view, spec, number, Editor) {
  const isRight = spec.type === "integer" || spec.type === "number";
  return {
    id: `c${number}`,
    field: spec.name,
    spec,
    name: header(spec),
    toolTip: spec.help ?? spec.name,
    width: widthOf(spec, view.table.texts[number]),
    minWidth: 40,
    sortable: true,
    cssClass: `tl-${spec.type}${isRight ? " tl-right" : ""}${spec.key ? " tl-key" : ""}`,
    headerCssClass: isRight ? "tl-right" : "",
    editor: Editor,
    formatter: (_row, _cell, _value, _column, id) => cellOf(view, id, spec.name),
  };
}

// Wide enough for its header, and for nearly all of its texts.
function widthOf({ name, unit }, texts) {
  const lengths = texts.slice(0, SAMPLE).map((text) => text?.length ?? 4).sort((a, b) => a - b);
  const usual = lengths[Math.floor(lengths.length * 0.95)] ?? 0;
  const wanted = EDGES + LETTER * Math.max(usual, name.length + 1, (unit ?? "").length);
  return Math.round(Math.min(WIDEST, Math.max(NARROWEST, wanted)));
}

function header({ name, unit, key }) {
  const node = document.createElement("span");
  node.className = "tl-header";
  node.append(Object.assign(document.createElement("span"), { className: "tl-name", textContent: name }));
  node.append(Object.assign(document.createElement("span"), { className: "tl-unit", textContent: [key && "key", unit].filter(Boolean).join(", ") || "\u00a0" }));
  return node;
}

// What a cell shows: never HTML, never the text of a null.
export function cellOf(view, row, column) {
  const text = view.table.text(row, column);
  const classes = [];
  if (text === null) classes.push("tl-null");
  if (view.table.rowMark(row)) classes.push(`tl-${view.table.rowMark(row)}`);
  else if (view.table.isChanged(row, column)) classes.push("tl-changed");
  const mark = view.marks.of(row, column);
  if (mark) classes.push(WORDS[mark[0]]);
  return { text: shown(text), addClasses: classes.join(" "), toolTip: told(text, view.explain(row, column)) };
}

export function shown(text) {
  if (text === null) return "null";
  const flat = text.replace(/\r\n|\r|\n/g, " ⏎ ");
  return flat.length > LONGEST ? `${flat.slice(0, LONGEST)}…` : flat;
}

// A text that its cell may cut stands in the tooltip, too.
function told(text, why) {
  const whole = text !== null && (text.length > 20 || text.includes("\n")) ? `${text.slice(0, TOLD)}${text.length > TOLD ? "…" : ""}` : "";
  return [why, whole].filter(Boolean).join("\n\n");
}

function markOf(view, row) {
  const kind = view.marks.isBad(row) ? "error" : view.table.rowMark(row) || (view.table.isTouched(row) ? "changed" : "");
  const [text, toolTip] = SIGNS[kind] ?? ["", ""];
  const message = view.marks.of(row, "")?.[1];
  return { text, addClasses: kind ? `tl-sign-${kind}` : "", toolTip: message ?? toolTip };
}
