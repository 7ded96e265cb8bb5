"""Rows by key: a table in memory, and one with changes on top, which must be told apart by nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from towline import plan
from towline import table as tables
from towline.change import RowChange
from towline.contract import Contract
from towline.diff import Diff, diff
from towline.parquet import writer
from towline.parquet.tablefile import TableFile
from towline.proposals import Proposal
from towline.rows import Edited, Filed, InMemory, Rows, edited
from towline.values import Key, Row, Value

KEY = ("a", "b")
CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "a", "type": "integer"},
            {"name": "b", "type": "string"},
            {"name": "x", "type": "number", "constraints": {"unique": True}},
            {"name": "note", "type": "string"},
        ],
        "primaryKey": list(KEY),
        "towline": {"version": 1, "dataset": "things", "nonfinite": "allow"},
    }
)
KEYS = st.tuples(st.integers(0, 3), st.sampled_from("pqr"))
NUMBERS = st.sampled_from([None, 0.0, -0.0, 1.5, 2.5, math.inf])
CELLS = st.tuples(NUMBERS, st.sampled_from([None, "", "n"]))
TABLES = st.dictionaries(KEYS, CELLS, max_size=12)


def table_of(rows: dict[tuple[int, str], tuple[float | None, str | None]]) -> pa.Table:
    listed = [{"a": a, "b": b, "x": x, "note": note} for (a, b), (x, note) in rows.items()]
    return tables.sort(pa.Table.from_pylist(listed, schema=CONTRACT.schema), KEY)


def in_memory(*rows: tuple[int, str, float | None]) -> InMemory:
    return InMemory(table_of({(a, b): (x, None) for a, b, x in rows}), KEY)


def held(rows: Rows, column: str, wanted: Sequence[Value]) -> list[tuple[object, ...]]:
    found = (row for piece in rows.values(column, wanted) for row in piece.to_pylist())
    return sorted((row["a"], row["b"], row[column] + 0) for row in found)


@settings(max_examples=50)
@given(TABLES, TABLES, TABLES, st.sets(KEYS), st.lists(NUMBERS.filter(lambda x: x is not None), min_size=1))
def test_rows_with_changes_on_top_are_those_of_the_table_that_they_make(
    first: dict, second: dict, third: dict, keys: set[Key], wanted: list[Value]
) -> None:
    one, two, three = (table_of(rows) for rows in (first, second, third))
    found = edited(edited(InMemory(one, KEY), diff(one, two, KEY)), diff(two, three, KEY))
    plain = InMemory(three, KEY)
    assert not isinstance(found, Edited) or isinstance(found.under, InMemory), "two layers of changes become one"
    assert diff(found.table(), three, KEY) == Diff(KEY)
    assert (found.num_rows, found.filled(), found.schema) == (plain.num_rows, plain.filled(), plain.schema)
    assert found.rows(keys) == plain.rows(keys)
    assert held(found, "x", wanted) == held(plain, "x", wanted)
    assert held(found, "a", [1, 2]) == held(plain, "a", [1, 2])


@settings(max_examples=50)
@given(TABLES, st.sets(KEYS), st.lists(NUMBERS.filter(lambda x: x is not None), min_size=1), st.integers(1, 5))
def test_rows_of_a_file_are_those_of_its_table(first: dict, keys: set[Key], wanted: list[Value], group: int) -> None:
    table = table_of(first)
    body = writer.to_parquet(table, KEY, {}, group=group)
    found, plain = Filed(TableFile.of_bytes(body), KEY), InMemory(table, KEY)
    assert found.table().equals(table)
    assert (found.num_rows, found.filled(), found.schema) == (plain.num_rows, plain.filled(), plain.schema)
    assert found.rows(keys) == plain.rows(keys)
    assert held(found, "x", wanted) == held(plain, "x", wanted)
    assert held(found, "a", [1, 2]) == held(plain, "a", [1, 2])


def test_of_a_column_only_row_groups_are_read_whose_statistics_allow_for_a_value() -> None:
    table = in_memory(*((a, "p", float(a)) for a in range(100))).table()
    source = Reads(writer.to_parquet(table, KEY, {}, group=10))
    rows = Filed(TableFile.open(source), KEY)
    _ = rows.file.footer
    source.spans.clear()
    assert held(rows, "x", [42.0]) == [(42, "p", 42.0)]
    chunks = {chunk.start for chunk in rows.file.footer.group(4).chunks}
    assert {start for start, _ in source.spans} <= chunks


@dataclass
class Reads:
    """A file in memory that notes what is read of it."""

    body: bytes
    where: str = "a file"
    spans: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.body)

    def read(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        self.spans += spans
        return [self.body[start:stop] for start, stop in spans]


@dataclass(frozen=True)
class Watched:
    """Rows of which nobody may have everything, and which note what was asked for."""

    of: InMemory
    asked: list[object]

    @property
    def schema(self) -> pa.Schema:
        return self.of.schema

    @property
    def num_rows(self) -> int:
        return self.of.num_rows

    def rows(self, keys: Iterable[Key]) -> dict[Key, Row]:
        wanted = sorted(keys)
        self.asked.append(wanted)
        return self.of.rows(wanted)

    def values(self, column: str, wanted: Sequence[Value]) -> Iterator[pa.Table]:
        self.asked.append((column, list(wanted)))
        return self.of.values(column, wanted)

    def filled(self) -> int:
        raise AssertionError("nobody needs this of a change")

    def table(self) -> pa.Table:
        raise AssertionError("a change of single rows needs no other rows")


def row(a: int, b: str, x: float | None, note: str | None = None) -> Row:
    return {"a": a, "b": b, "x": x, "note": note}


def proposed(head: Rows, *changes: RowChange) -> plan.Plan:
    return plan.plan(Proposal("things", "edit", "why", "C", changes=changes), CONTRACT, head, head)


def test_a_proposal_of_single_rows_looks_at_these_rows_alone() -> None:
    head = Watched(in_memory((1, "p", 1.0), (1, "q", 2.0), (2, "p", 3.0)), [])
    changes = RowChange(row(1, "q", 2.0), row(1, "q", 2.0, "seen")), RowChange(None, row(3, "r", None))
    found = proposed(head, *changes)
    assert found.ok
    assert found.result is not None
    assert (found.result.num_rows, found.counts()["rows_inserted"]) == (4, 1)
    assert head.asked == [[(1, "q"), (3, "r")]] * 2, "once of the base and once of the head; no value is new"


def test_a_value_that_must_be_unique_is_looked_for_where_it_is_new() -> None:
    head = Watched(in_memory((1, "p", 1.0), (1, "q", 2.0), (2, "p", 3.0)), [])
    found = proposed(head, RowChange(row(1, "q", 2.0), row(1, "q", 3.0)))
    (violation,) = found.report.violations
    assert (violation.rule, violation.value, dict(violation.key or {})) == (
        "constraint.unique", 3.0, {"a": 1, "b": "q"},
    )  # fmt: skip
    assert "in 2 rows" in violation.message
    assert head.asked[2:] == [("x", [3.0])]


SWAPS = {
    "a value and its holder swap": [((1, "p", 1.0), 2.0), ((1, "q", 2.0), 1.0)],
    "a value is taken over": [((1, "p", 1.0), 2.0), ((1, "q", 2.0), None)],
}


@pytest.mark.parametrize("moves", SWAPS.values(), ids=SWAPS)
def test_a_value_may_move_from_row_to_row(moves: list[tuple[tuple[int, str, float], float | None]]) -> None:
    head = in_memory((1, "p", 1.0), (1, "q", 2.0))
    assert proposed(head, *(RowChange(row(*old), {**row(*old), "x": x}) for old, x in moves)).ok


@pytest.mark.parametrize(("there", "new"), [(0.0, -0.0), (-0.0, 0.0), (math.nan, math.nan), (math.inf, math.inf)])
def test_zero_is_one_value_and_so_is_nan(there: float, new: float) -> None:
    found = proposed(in_memory((1, "p", there)), RowChange(None, row(1, "q", new)))
    assert [violation.rule for violation in found.report.violations] == ["constraint.unique"]


def test_what_stood_twice_before_is_held_against_nobody() -> None:
    head = in_memory((1, "p", 1.0), (1, "q", 1.0), (2, "p", 5.0))
    assert proposed(head, RowChange(row(2, "p", 5.0), row(2, "p", 6.0))).ok
    assert not proposed(head, RowChange(row(2, "p", 5.0), row(2, "p", 1.0))).ok
    assert proposed(head, RowChange(row(1, "q", 1.0), row(1, "q", 2.0))).ok


@settings(max_examples=50)
@given(TABLES, TABLES)
def test_a_change_of_a_table_without_repetition_is_refused_just_where_it_makes_one(first: dict, second: dict) -> None:
    one, two = table_of(first), table_of(second)
    changes = diff(one, two, KEY).changes
    assume(changes and CONTRACT.check_unique(one).ok)
    assert proposed(InMemory(one, KEY), *changes).ok == CONTRACT.check_unique(two).ok
