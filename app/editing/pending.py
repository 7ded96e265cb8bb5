"""From edits to RowChanges, with what is wrong with them: what stands beside the grid, and what is submitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from app.editing.cells import Misfit, Text, value_of
from app.editing.edits import Edits, RowId
from app.editing.sheet import Sheet
from towline import plan, proposals
from towline.change import RowChange, key_json, row_json, same_row
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
    delete and an insert. `old` is the sheet's row; of an insert all of it is null."""

    row: RowId
    kind: str
    old: Row
    cells: tuple[Cell, ...] = ()

    @cached_property
    def new(self) -> Row | None:
        """The row with every text that fits; the others leave it as it was."""
        if self.kind == "delete":
            return None
        return {**self.old, **{cell.column: cell.new for cell in self.cells if cell.problem is None}}

    @property
    def problems(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.problem is not None)


@dataclass(frozen=True)
class Pending:
    """All that was edited. `changes` leaves out texts that do not fit; `report` has those too."""

    lines: tuple[Line, ...]
    changes: tuple[RowChange, ...]
    report: Report

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


def review(sheet: Sheet, edits: Edits) -> Pending:
    """What `edits` would change in `sheet`, checked against its contract as the functions will."""
    lines = tuple(_lines(sheet, edits))
    changes = tuple(_changes(lines, sheet.contract))
    return Pending(lines, changes, _report(sheet, lines, changes))


def _lines(sheet: Sheet, edits: Edits) -> Iterator[Line]:
    """Rows of the sheet in its order, then the added ones."""
    for key, old in sheet.rows.items():
        if key in edits.deleted:
            yield Line(key, "delete", old)
        elif key in edits.cells:
            cells = tuple(_cells(sheet, edits.cells[key], old))
            is_rekey = any(cell.column in sheet.contract.key for cell in cells)
            yield Line(key, "rekey" if is_rekey else "update", old, cells)
    blank: Row = dict.fromkeys(sheet.contract.names)
    for serial in edits.added:
        yield Line(serial, "insert", blank, tuple(_cells(sheet, edits.cells[serial], blank)))


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
        if line.new is None:
            continue
        key = contract.key_of(line.new)
        old = line.old if line.kind == "update" else gone.pop(key, None)
        if not same_row(old, line.new):
            yield RowChange(old, line.new)
    for old in gone.values():
        yield RowChange(old, None)


def _report(sheet: Sheet, lines: Sequence[Line], changes: Sequence[RowChange]) -> Report:
    """Everything that is wrong, each cell once: a text that does not fit says more than the rules about its absence."""
    contract = sheet.contract
    misfits = [_misfit(contract, line, cell) for line in lines for cell in line.problems]
    listed = {(_frozen(violation.key), violation.column) for violation in misfits}
    refused = list(_refused(sheet, changes))
    bad = {id(change) for change, _ in refused}
    checked = plan.check([change for change in changes if id(change) not in bad], contract)
    twice = [v for v in checked.violations if (_frozen(v.key), v.column) in listed]
    checked = Report(
        tuple(v for v in checked.violations if v not in twice),
        checked.errors - sum(v.severity == ERROR for v in twice),
        checked.warnings - sum(v.severity != ERROR for v in twice),
    )
    return Report.join(Report.of([*misfits, *(violation for _, violation in refused)]), checked)


def _misfit(contract: Contract, line: Line, cell: Cell) -> Violation:
    rule = f"type.{contract.field(cell.column).type}"
    return Violation(rule, ERROR, row_key(contract, line), cell.column, cell.text, cell.problem or "")


def _refused(sheet: Sheet, changes: Sequence[RowChange]) -> Iterator[tuple[RowChange, Violation]]:
    """What a proposal could not even say: text that cannot be stored, keys that are not those of one row."""
    contract = sheet.contract
    times = Counter(change.key(contract.key) for change in changes)
    for change in changes:
        key = change.key(contract.key)
        if change.new is not None:
            yield from ((change, violation) for violation in contract.decode_row(row_json(change.new))[1])
        if times[key] > 1 and None not in key:
            yield change, _key_violation(contract, key, "key.duplicate", "two rows have this key")
        elif change.old is None and key in sheet.rows:
            yield change, _key_violation(contract, key, "row.exists", "there is a row with this key already")


def _key_violation(contract: Contract, key: Key, rule: str, what: str) -> Violation:
    message = f"{what}; change {' or '.join(contract.key)} here, or delete one of the rows"
    return Violation(rule, ERROR, contract.key_dict(key), None, None, message)


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
