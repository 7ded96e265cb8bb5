"""From edits to RowChanges, with what is wrong with them: what stands beside the grid, and what is submitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from app.editing.breaches import Found, breaches, ordered
from app.editing.cells import Misfit, Text, value_of
from app.editing.edits import Cells, Edits, RowId
from app.editing.sheet import Sheet
from towline import proposals
from towline.change import RowChange, key_json, same_row
from towline.contract import Contract
from towline.values import Key, Row, Value
from towline.violation import ERROR, Report, Violation

NO_NOTE = "downloaded from the editor before a note was written"


@dataclass(frozen=True)
class Cell:
    """One cell's edit. `problem` says why its text does not fit the column; then `new` is not what was typed."""

    column: str
    old: Value
    new: Value
    text: Text
    problem: str | None = None


@dataclass(frozen=True)
class Line:
    """One row's edits, as they are listed. `kind` is update, insert, delete, or rekey: an update of the key, which is a
    delete and an insert. `old` is the sheet's row; of an insert all of it is null. `misfits` are the texts that do not
    fit, as violations."""

    row: RowId
    kind: str
    old: Row
    cells: tuple[Cell, ...] = ()
    misfits: tuple[Violation, ...] = ()

    @cached_property
    def new(self) -> Row | None:
        """The row with every text that fits; the others leave it as it was."""
        if self.kind == "delete":
            return None
        return {**self.old, **{cell.column: cell.new for cell in self.cells if cell.problem is None}}

    @cached_property
    def texts(self) -> Cells:
        return {cell.column: cell.text for cell in self.cells}

    @cached_property
    def update(self) -> RowChange | None:
        """The change of a row that keeps its key; None where nothing differs."""
        return None if same_row(self.old, self.new) else RowChange(self.old, self.new)

    @property
    def problems(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.problem is not None)


@dataclass(frozen=True)
class Pending:
    """All that was edited. `changes` leaves out texts that do not fit; `report` has those too, and lists everything.
    `sheet` and `found` are for the next review."""

    lines: tuple[Line, ...] = ()
    changes: tuple[RowChange, ...] = ()
    report: Report = field(default_factory=Report)
    sheet: Sheet | None = field(default=None, repr=False)
    found: Mapping[Key, Found] = field(default_factory=dict, repr=False)

    @property
    def ready(self) -> bool:
        """Whether it can be submitted: something changed, and nothing is wrong with it."""
        return bool(self.changes) and self.report.ok

    def count(self, *kinds: str) -> int:
        """Rows of these kinds."""
        return sum(line.kind in kinds for line in self.lines)

    @property
    def cells(self) -> int:
        """Cells edited in rows that stay."""
        return sum(len(line.cells) for line in self.lines if line.kind in ("update", "rekey"))


def review(sheet: Sheet, edits: Edits, known: Pending | None = None) -> Pending:
    """What `edits` would change in `sheet`, checked against its contract as the functions will. `known` is what the
    last review found: rows that are edited as they were then are not looked at again."""
    if known is None or known.sheet is None or known.sheet.origin is not sheet.origin:
        known = Pending()
    lines = tuple(_lines(sheet, edits, {line.row: line for line in known.lines}))
    changes = tuple(_changes(lines, sheet.contract))
    found = breaches(sheet, changes, known.found)
    return Pending(lines, changes, _report(lines, found), sheet, found)


def _lines(sheet: Sheet, edits: Edits, known: Mapping[RowId, Line]) -> Iterator[Line]:
    """Rows of the sheet in its order, then the added ones."""
    touched = edits.deleted | {row for row in edits.cells if isinstance(row, tuple)}
    for key in sheet.in_order(touched):
        old = sheet.rows[key]
        if key in edits.deleted:
            yield Line(key, "delete", old)
        else:
            yield known[key] if _is_known(known, key, edits) else _line(sheet, key, edits.cells[key], old)
    blank: Row = dict.fromkeys(sheet.contract.names)
    for serial in edits.added:
        yield known[serial] if _is_known(known, serial, edits) else _line(sheet, serial, edits.cells[serial], blank)


def _is_known(known: Mapping[RowId, Line], row: RowId, edits: Edits) -> bool:
    return row in known and known[row].kind != "delete" and known[row].texts == edits.cells[row]


def _line(sheet: Sheet, row: RowId, texts: Cells, old: Row) -> Line:
    cells = tuple(_cells(sheet, texts, old))
    is_rekey = any(cell.column in sheet.contract.key for cell in cells)
    kind = "insert" if isinstance(row, int) else "rekey" if is_rekey else "update"
    line = Line(row, kind, old, cells)
    misfits = tuple(_misfit(sheet.contract, line, cell) for cell in line.problems)
    return replace(line, misfits=misfits) if misfits else line


def _cells(sheet: Sheet, texts: Mapping[str, Text], old: Row) -> Iterator[Cell]:
    contract = sheet.contract
    for column in contract.names:
        if column in texts:
            text = texts[column]
            try:
                new = value_of(text, contract.field(column), contract.missing_values)
                yield Cell(column, old[column], new, text)
            except Misfit as misfit:
                yield Cell(column, old[column], None, text, str(misfit))


def _changes(lines: Sequence[Line], contract: Contract) -> Iterator[RowChange]:
    """One RowChange a row that differs. Rows that leave a key and rows that arrive at it are one update of that key,
    so that two rows can swap their keys."""
    gone = {contract.key_of(line.old): line.old for line in lines if line.kind in ("delete", "rekey")}
    for line in lines:
        if line.kind == "update":
            yield from () if line.update is None else (line.update,)
        elif line.new is not None:
            old = gone.pop(contract.key_of(line.new), None)
            if not same_row(old, line.new):
                yield RowChange(old, line.new)
    for old in gone.values():
        yield RowChange(old, None)


def _report(lines: Sequence[Line], found: Mapping[Key, Found]) -> Report:
    """Everything that is wrong, each cell once: a text that does not fit says more than the rules about its absence."""
    misfits = [violation for line in lines for violation in line.misfits]
    others = [violation for each in found.values() for violation in each.violations]
    said = {(_frozen(violation.key), violation.column) for violation in misfits} if others else ()
    return ordered([*misfits, *(v for v in others if (_frozen(v.key), v.column) not in said)])


def _misfit(contract: Contract, line: Line, cell: Cell) -> Violation:
    rule = f"type.{contract.field(cell.column).type}"
    return Violation(rule, ERROR, row_key(contract, line), cell.column, cell.text, cell.problem or "")


def row_key(contract: Contract, line: Line) -> dict[str, Value]:
    """The key that a row of the list goes by: its new one where that fits."""
    row = line.new or line.old
    return {column: row[column] for column in contract.key}


def _frozen(key: Mapping[str, Value] | None) -> tuple[tuple[str, Value], ...]:
    return tuple((key or {}).items())


def download(sheet: Sheet, pending: Pending, note: str) -> bytes:
    """All edits as a proposal that can be put into the inbox later. Texts that do not fit cannot be said in one: they
    are kept beside, under `client`, for the reader. A proposal needs a note: without one it says so."""
    unfit = [
        {"key": key_json(line.new or line.old, sheet.contract.key), "column": cell.column, "text": cell.text}
        for line in pending.lines
        for cell in line.problems
    ]
    client = {"client": {"name": "editor", "unfit": unfit}} if unfit else {"client": {"name": "editor"}}
    return proposals.to_json(
        dataset=sheet.dataset, note=note.strip() or NO_NOTE, base=sheet.commit, changes=pending.changes, **client
    )
