// Blocks of cells to and from the clipboard. Pure. A block is a list of rows of texts; null is an empty cell.
//
// Plain text is rows of cells between tabs. Spreadsheets put a cell with a line break or a tab between quotes and
// double the quotes in it; some do so with every cell that has a quote, some only where they must. So where plain
// text has quotes, a table in HTML beside it says where the cells are, if it says the same as the text.

export const OWN = "application/x-towline-cells";

// What a paste says: from this grid, from plain text, from HTML. Null where there is no text at all.
export function read(own, html, plain) {
  const copied = own ? fromOwn(own) : null;
  if (copied) return copied;
  if (!plain) return html ? fromHTML(html) : null;
  const table = html && plain.includes('"') ? fromHTML(html) : null;
  return table && bare(table.flat().join("")) === bare(plain) ? table : fromTSV(plain);
}

const bare = (text) => text.replace(/["\s]/g, "");

export function fromOwn(text) {
  try {
    const block = JSON.parse(text);
    const isCell = (cell) => cell === null || typeof cell === "string";
    return block.length && block[0].length && block.every((row) => row.length === block[0].length && row.every(isCell)) ? block : null;
  } catch {
    return null;
  }
}

export function toTSV(block) {
  const lines = block.map((row) => row.map(quoted).join("\t"));
  return lines.length > 1 ? `${lines.join("\n")}\n` : lines[0]; // a last line of nothing but null is a line, too
}

function quoted(text) {
  if (text === null) return "";
  return /["\t\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function fromTSV(text) {
  const rows = [[]];
  let at = 0;
  while (at <= text.length) {
    const [cell, end] = cellAt(text, at);
    rows.at(-1).push(cell);
    if (text[end] === "\t") at = end + 1;
    else if (end >= text.length) break;
    else {
      at = end + (text.startsWith("\r\n", end) ? 2 : 1);
      if (at === text.length) break; // the line break at the end begins no row
      rows.push([]);
    }
  }
  return rectangle(rows);
}

const QUOTED = /"((?:[^"]|"")*)"(?=[\t\r\n]|$)/y;

// The cell that begins at `at`, and where it ends. A cell that begins with a quote and does not end with one as it
// should is taken as it stands.
function cellAt(text, at) {
  if (text[at] === '"') {
    QUOTED.lastIndex = at;
    const found = QUOTED.exec(text);
    if (found) return [found[1].replaceAll('""', '"') || null, at + found[0].length];
  }
  let end = at;
  while (end < text.length && !"\t\r\n".includes(text[end])) end++;
  return [text.slice(at, end) || null, end];
}

// The first table of a piece of HTML; null where there is none, or where cells reach over several rows.
export function fromHTML(html) {
  if (/\srowspan\s*=\s*["']?(?!1\b)\d/i.test(html)) return null;
  const table = /<table[\s>][\s\S]*?<\/table\s*>/i.exec(html.replace(/<!--[\s\S]*?-->/g, ""));
  if (!table) return null;
  const rows = [...table[0].matchAll(/<tr[\s>][\s\S]*?(?=<\/tr\s*>|<tr[\s>]|<\/table)/gi)];
  const block = rows.map(([row]) => [...row.matchAll(/<t[dh]([^>]*)>([\s\S]*?)(?=<\/t[dh]\s*>|<t[dh][\s>]|$)/gi)]);
  const texts = block.map((cells) => cells.flatMap(([, tag, inner]) => [textOf(inner), ...span(tag)]));
  return texts.length ? rectangle(texts) : null;
}

const span = (tag) => Array(Math.max(0, Number(/colspan\s*=\s*["']?(\d{1,3})/i.exec(tag)?.[1] ?? 1) - 1)).fill(null);

function textOf(inner) {
  const flat = inner.replace(/\s+/g, " ").replace(/\s*<br\b[^>]*>\s*/gi, "\n").replace(/<[^>]*>/g, "");
  return decoded(flat).replace(/^ +| +$/g, "").replaceAll("\u00a0", " ") || null;
}

const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };

function decoded(text) {
  return text.replace(/&(#x[\da-f]{1,6}|#\d{1,7}|[a-z]+);/gi, (whole, name) => {
    if (name[0] !== "#") return NAMED[name.toLowerCase()] ?? whole;
    const code = name[1].toLowerCase() === "x" ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function rectangle(rows) {
  const width = Math.max(...rows.map((row) => row.length));
  return rows.map((row) => [...row, ...Array(width - row.length).fill(null)]);
}

// The block as it covers a selection of `height` x `width`: repeated where it fits a whole number of times.
export function tiled(block, height, width) {
  const fits = height % block.length === 0 && width % block[0].length === 0;
  const [rows, columns] = fits ? [height, width] : [block.length, block[0].length];
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => block[i % block.length][j % block[0].length]),
  );
}
