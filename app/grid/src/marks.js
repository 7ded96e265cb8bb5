// What Python says of cells: errors, warnings, and what others changed. Pure.
//
// {cells: {row: {column: [kind, number]}}, texts: [message]}; the column "" is the whole row. kind: error, warn, theirs

export class Marks {
  constructor({ cells = {}, texts = [] } = {}) {
    this.cells = cells;
    this.texts = texts;
  }

  // [kind, message]
  of(row, column) {
    const [kind, number] = this.cells[row]?.[column] ?? [];
    return kind ? [kind, this.texts[number]] : null;
  }

  isBad(row) {
    return Object.values(this.cells[row] ?? {}).some(([kind]) => kind === "error");
  }

  // Whether a row looks the same with those.
  isSame(row, others) {
    const [one, other] = [this.cells[row], others.cells[row]];
    if (!one || !other) return one === other;
    const names = Object.keys({ ...one, ...other });
    return names.every((name) => String(this.of(row, name)) === String(others.of(row, name)));
  }
}
