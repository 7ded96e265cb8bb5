"""A Parquet file that is too large to be read at once, as the whole table that somebody proposes.

Its rows have to be in key order. Then row group after row group is held against the contract, its keys against those
before it, and its rows against the table that it replaces, and no more than that is in memory. Of what the file says of
its rows nothing is believed (`towline.parquet.sound`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import pyarrow as pa

from towline import table as tables
from towline.ahead import ahead
from towline.contract import Contract
from towline.parquet.tablefile import TableFile
from towline.parquet.verify import is_increasing
from towline.ranks import is_ordered
from towline.rows import InMemory
from towline.rules.conform import fit
from towline.values import Key, Row, Value
from towline.violation import ERROR, LIMIT, Report, Violation

GROUP_MAX = 512 * 2**20  # bytes that a row group may come to
ORDER = "file.order"  # the rule that rows are in key order
READERS = 2  # row groups that are checked at once: as many as a function has processors


@dataclass(frozen=True)
class Streamed:
    """The rows of such a file in the contract's schema, one row group at a time; made by `check`. It is `Rows`, and
    `Grouped` (`towline.parquet.compare`)."""

    file: TableFile
    contract: Contract
    cells: int
    digests: None = None

    @property
    def where(self) -> str:
        return self.file.source.where

    @property
    def schema(self) -> pa.Schema:
        return self.contract.schema

    @property
    def num_rows(self) -> int:
        return self.file.num_rows

    @property
    def counts(self) -> Sequence[int]:
        return self.file.footer.rows

    def read(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        names = self.contract.names if columns is None else columns
        table = self.file.read([group], names, GROUP_MAX)
        cells = [fit(table[name], self.contract.field(name)).column for name in names]
        found = pa.Table.from_arrays(cells, schema=pa.schema([self.schema.field(name) for name in names]))
        return tables.without_negative_zero(found, [name for name in self.contract.key if name in names])

    def take(self, group: int, places: Sequence[int]) -> pa.Table:
        return self.read(group).take(list(places))

    def rows(self, keys: Iterable[Key]) -> dict[Key, Row]:
        wanted, key = set(keys), self.contract.key
        found = (tables.rows_by_key(self.read(group), key, wanted) for group in range(len(self.counts)))
        return {each: row for rows in found for each, row in rows.items()}

    def values(self, column: str, wanted: Sequence[Value]) -> Iterator[pa.Table]:
        key = self.contract.key
        for group in range(len(self.counts)):
            yield from InMemory(self.read(group, tuple(dict.fromkeys((*key, column)))), key).values(column, wanted)

    def filled(self) -> int:
        return self.cells

    def table(self) -> pa.Table:
        return pa.concat_tables([self.schema.empty_table(), *map(self.read, range(len(self.counts)))])


def check(file: TableFile, contract: Contract, *, rules: bool = False) -> tuple[Streamed | None, Report]:
    """The file as rows of the contract's schema, each of them with a key of its own; None, and the reasons, where it
    does not fit. `rules`: the rows are held against the contract's rules, too, as those of a first table are.

    Corrupt: it is damaged, or a row group of it takes too much memory.
    """
    reports, cells, last = [], 0, None
    for piece in ahead(partial(_piece, file, contract, rules=rules), range(file.num_groups), READERS):
        keys = piece.keys if last is None else pa.concat_tables([last, piece.keys])
        reports += [piece.report, _check_keys(keys, contract)]
        cells += piece.cells
        last = keys.slice(max(0, keys.num_rows - 1))
        if any(violation.key is None for violation in piece.report.violations):
            break  # its columns are others: that is so in every row group
    made, report = Streamed(file, contract, cells), joined(reports)
    if report.ok:
        report = Report.join(report, _check_unique(made))
    return (made if report.ok else None), report


class _Piece(NamedTuple):
    """What is kept of a row group that was checked: its keys, and how many cells of it are not null."""

    report: Report
    keys: pa.Table
    cells: int = 0


def _piece(file: TableFile, contract: Contract, group: int, *, rules: bool) -> _Piece:
    found, report = contract.conform(file.read([group], most=GROUP_MAX))
    if found is None:
        return _Piece(report, contract.schema.empty_table().select(list(contract.key)))
    if rules:
        report = Report.join(report, contract.check(found))
    keys = tables.without_negative_zero(found.select(list(contract.key)), contract.key)
    return _Piece(report, keys, sum(len(column) - column.null_count for column in found.columns))


def _check_keys(keys: pa.Table, contract: Contract) -> Report:
    if is_increasing(keys, contract.key):
        return Report()
    if is_ordered(keys):
        return contract.check_key(keys)
    named = ", ".join(contract.key)
    message = f"its rows are not in the order of {named}: sort it, since a file of this size is read piece by piece"
    return Report.of([Violation(ORDER, ERROR, None, contract.key[0], None, message)])


def _check_unique(rows: Streamed) -> Report:
    """Of the columns that must be unique all values are at hand at once."""
    contract = rows.contract
    named = [field.name for field in contract.fields if field.constraints.unique]
    if not named:
        return Report()
    columns = tuple(dict.fromkeys((*contract.key, *named)))
    return contract.check_unique(pa.concat_tables([rows.read(group, columns) for group in range(len(rows.counts))]))


def joined(reports: Sequence[Report]) -> Report:
    """The reports of all pieces of a table as one of the table: the first violations, errors before warnings."""
    found = Report.join(*reports)
    listed = sorted(found.violations, key=lambda violation: violation.severity != ERROR)
    return Report(tuple(listed[:LIMIT]), found.errors, found.warnings)
