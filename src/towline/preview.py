"""What an SQL edit would do to its table, before anything moves: the preview, as a value and as its JSON document.

    {"format": "towline.preview/v1", "dataset": "net_tows", "run": "01K…", "statement": "UPDATE …",
     "base": "<commit>", "number": 7, "effect": "<sha256>",
     "rows": {"before": 125, "after": 124, "inserted": 0, "updated": 4, "deleted": 1}, "cells_changed": 17,
     "columns": [{"column": "volume", "type": "number", "changed": 5, "share": 0.04,
                  "before": {"nulls": 0, "min": 1.0, "max": 9.5, "mean": 4.2}, "after": {…}}, …],
     "cells": [{"key": {"tow": 4, "net": 1}, "column": "volume", "old": 4.0, "new": 5.0}, …],
     "inserted": [{…}, …], "deleted": [{…}, …],
     "violations": [{…}, …], "errors": 0, "warnings": 0, "review": ["1 row is deleted; …"],
     "scanned_bytes": 19004, "cost_usd": 0.00005, "engine_ms": 812, "query_id": "…"}

Cells, rows and violations are the first hundred in key order; the counts are of all. Values are written as
`values.encode` does. A word on a preview is bound to `effect`, which is of the whole change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, NoReturn

from towline import keys, policy
from towline.change import RowChange, row_json
from towline.contract import Contract
from towline.diff import Diff
from towline.errors import Corrupt
from towline.profile import ColumnChange, Profile, compare
from towline.rows import Rows
from towline.rules.field import TYPES
from towline.values import Row, Value, decode, encode, shown
from towline.violation import Report

FORMAT = "towline.preview/v1"
LISTED = 100  # cells, inserted rows, deleted rows and violations of one preview

_COUNTS = ("number", "cells_changed", "errors", "warnings", "scanned_bytes", "engine_ms")
_TEXTS = ("dataset", "run", "statement", "base", "effect", "query_id")


@dataclass(frozen=True)
class RowCounts:
    """Rows before and after, and how many come, change and go."""

    before: int
    after: int
    inserted: int
    updated: int
    deleted: int


@dataclass(frozen=True)
class CellChange:
    """One cell of an updated row."""

    key: Mapping[str, Value]
    column: str
    old: Value
    new: Value

    def to_json(self) -> dict[str, object]:
        return {
            "key": row_json(self.key),
            "column": self.column,
            "old": encode(self.old),
            "new": encode(self.new),
        }


@dataclass(frozen=True)
class Preview:
    """A preview. `base` and `number` are of the commit that it was made on; `review` says for what it has to wait for
    stewards; `scanned_bytes`, `cost_usd`, `engine_ms` and `query_id` are of the query that made the result."""

    dataset: str
    run: str
    statement: str
    base: str
    number: int
    effect: str
    rows: RowCounts
    cells_changed: int
    columns: tuple[ColumnChange, ...]
    cells: tuple[CellChange, ...]
    inserted: tuple[Row, ...]
    deleted: tuple[Row, ...]
    violations: tuple[Mapping[str, object], ...]
    errors: int
    warnings: int
    review: tuple[str, ...]
    scanned_bytes: int
    cost_usd: float
    engine_ms: int
    query_id: str

    @property
    def sentence(self) -> str:
        """What it does: "Updates 3 rows and deletes 1 row: 125 rows become 124."."""
        deeds = list(self._deeds())
        if not deeds:
            return "Changes nothing."
        said = " and ".join(filter(None, (", ".join(deeds[:-1]), deeds[-1])))
        before, after = self.rows.before, self.rows.after
        verb = "becomes" if before == 1 else "become"
        become = f": {_counted(before, 'row')} {verb} {after:,}" if before != after else f", of {before:,}"
        return f"{said}{become}.".capitalize()

    def _deeds(self) -> Iterator[str]:
        for noun, count in (
            ("updates", self.rows.updated),
            ("inserts", self.rows.inserted),
            ("deletes", self.rows.deleted),
        ):
            if count:
                yield f"{noun} {_counted(count, 'row')}"

    def to_json(self) -> dict[str, object]:
        """The document; `from_json` reads it back."""
        return {
            "format": FORMAT,
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "rows": dict(vars(self.rows)),
            "columns": [column.to_json() for column in self.columns],
            "cells": [cell.to_json() for cell in self.cells],
            "inserted": [row_json(row) for row in self.inserted],
            "deleted": [row_json(row) for row in self.deleted],
            "violations": [dict(violation) for violation in self.violations],
            "review": list(self.review),
        }


def build(
    base: Rows,
    result: Rows,
    diff: Diff,
    contract: Contract,
    *,
    run: keys.Run,
    statement: str,
    commit: str,
    number: int,
    report: Report,
    reasons: Sequence[str],
    query: Mapping[str, Any],
) -> dict[str, object]:
    """The document of one run. `base` and `result` have the contract's schema and `diff` leads from the one to the
    other; `commit` and `number` are of the base. `query` has scanned_bytes, cost_usd, engine_ms and query_id."""
    columns = compare(base, result, diff, contract)
    inserted, updated, deleted = ([c for c in diff.changes if c.kind == k] for k in ("insert", "update", "delete"))
    counts = RowCounts(base.num_rows, result.num_rows, len(inserted), len(updated), len(deleted))
    return Preview(
        dataset=run.dataset,
        run=run.id,
        statement=statement,
        base=commit,
        number=number,
        effect=policy.effect(diff),
        rows=counts,
        cells_changed=sum(column.changed for column in columns),
        columns=columns,
        cells=tuple(islice(_cells(updated, diff.key), LISTED)),
        inserted=tuple(change.row for change in inserted[:LISTED]),
        deleted=tuple(change.row for change in deleted[:LISTED]),
        violations=tuple(violation.to_json() for violation in report.violations[:LISTED]),
        errors=report.errors,
        warnings=report.warnings,
        review=tuple(reasons),
        **{name: query[name] for name in ("scanned_bytes", "cost_usd", "engine_ms", "query_id")},
    ).to_json()


def _cells(changes: Iterable[RowChange], key: tuple[str, ...]) -> Iterator[CellChange]:
    for change in changes:
        where = {column: change.row[column] for column in key}
        yield from (CellChange(where, cell.column, cell.old, cell.new) for cell in change.cells())


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def from_json(body: bytes | str) -> Preview:
    """Read a preview. Raises Corrupt, naming the place, where it is none: nobody shall promote what cannot be shown."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Corrupt(f"the preview is not valid JSON: {error}") from error
    root = _Part(raw)
    if root.at("format").value != FORMAT:
        raise Corrupt(f"a preview of format {shown(root.at('format').value)}; this version reads {FORMAT}")
    return _preview(root)


def _preview(root: _Part) -> Preview:
    columns = tuple(_column(part) for part in root.parts("columns"))
    types = {column.column: column.type for column in columns}
    plain: dict[str, Any] = {name: root.at(name).text() for name in _TEXTS}
    plain |= {name: root.at(name).count() for name in _COUNTS}
    return Preview(
        **plain,
        cost_usd=root.at("cost_usd").number(),
        rows=RowCounts(**{field.name: root.at("rows").at(field.name).count() for field in fields(RowCounts)}),
        columns=columns,
        cells=tuple(_cell(part, types) for part in root.parts("cells")),
        inserted=tuple(part.row(types) for part in root.parts("inserted")),
        deleted=tuple(part.row(types) for part in root.parts("deleted")),
        violations=tuple(part.object() for part in root.parts("violations")),
        review=tuple(part.text() for part in root.parts("review")),
    )


def _column(part: _Part) -> ColumnChange:
    type = part.at("type").text()
    if type not in TYPES:
        part.at("type").fail(f"is no type; use {', '.join(TYPES)}")
    sides = (_profile(part.at(side), type) for side in ("before", "after"))
    return ColumnChange(part.at("column").text(), type, part.at("changed").count(), part.at("share").number(), *sides)


def _profile(part: _Part, type: str) -> Profile:
    mean = part.at("mean").cell("number")
    assert mean is None or isinstance(mean, float)  # noqa: S101 - a cell of type number is nothing else
    return Profile(part.at("nulls").count(), part.at("min").cell(type), part.at("max").cell(type), mean)


def _cell(part: _Part, types: Mapping[str, str]) -> CellChange:
    column = part.at("column").text()
    if column not in types:
        part.at("column").fail("is not among the columns")
    old, new = (part.at(side).cell(types[column]) for side in ("old", "new"))
    return CellChange(part.at("key").row(types), column, old, new)


@dataclass(frozen=True)
class _Part:
    """A value in the document, and where: `cells[3].old`."""

    value: object
    place: str = ""

    def fail(self, why: str) -> NoReturn:
        raise Corrupt(f"the preview contradicts its format: {self.place or 'it'} is {shown(self.value)}, which {why}")

    def object(self) -> Mapping[str, Any]:
        if not isinstance(self.value, Mapping):
            self.fail("is not an object")
        return self.value

    def at(self, name: str) -> _Part:
        members = self.object()
        if name not in members:
            self.fail(f"lacks {name!r}")
        return _Part(members[name], f"{self.place}.{name}".lstrip("."))

    def parts(self, name: str) -> Iterator[_Part]:
        part = self.at(name)
        if not isinstance(part.value, list):
            part.fail("is not a list")
        yield from (_Part(value, f"{part.place}[{number}]") for number, value in enumerate(part.value))

    def text(self) -> str:
        if not isinstance(self.value, str):
            self.fail("is not text")
        return self.value

    def count(self) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int) or self.value < 0:
            self.fail("is not a whole number of 0 or more")
        return self.value

    def number(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not self.value >= 0:
            self.fail("is not a number of 0 or more")
        return float(self.value)

    def cell(self, type: str) -> Value:
        try:
            return decode(self.value, type)
        except ValueError as error:
            raise Corrupt(f"the preview contradicts its format: {self.place}: {error}") from None

    def row(self, types: Mapping[str, str]) -> Row:
        """The cells of a row, or of its key."""
        members = self.object()
        if unknown := members.keys() - types.keys():
            self.fail(f"names {shown(min(unknown))}, which is not among the columns")
        return {name: self.at(name).cell(types[name]) for name in members}
