"""Files with small row groups that are spliced over and over, and what is held against the oracle: the whole table."""

from __future__ import annotations

import io
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from towline import table as tables
from towline.change import RowChange, key_of
from towline.parquet.layout import Rules, Upload, layout
from towline.parquet.pieces import size
from towline.parquet.source import BytesSource
from towline.parquet.splice import Shape, Spliced, splice
from towline.parquet.tablefile import TableFile
from towline.parquet.verify import is_identical
from towline.parquet.writer import commit_metadata, to_parquet
from towline.values import Key, Row, Value

USUAL = 20  # rows of a row group
SHAPE = Shape(group=USUAL, small=0, tract=1500, moved=6000)
RULES = Rules(least=700, most=10**6, count=1000)  # a part holds a chunk or two
COLUMNS = pa.schema(
    [
        ("volume", pa.float64()),
        ("count", pa.int64()),
        ("is_day", pa.bool_()),
        ("vessel", pa.string()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us")),
    ]
)
KEYS: dict[str, pa.Schema] = {
    "composite": pa.schema([pa.field("tow", pa.int64(), False), pa.field("net", pa.string(), False)]),
    "text": pa.schema([pa.field("tow", pa.string(), False)]),
    "number": pa.schema([pa.field("tow", pa.float64(), False)]),
    "instant": pa.schema([pa.field("tow", pa.timestamp("us", tz="UTC"), False)]),
    "day and half": pa.schema([pa.field("tow", pa.date32(), False), pa.field("is_late", pa.bool_(), False)]),
}


def key_space(kind: str) -> list[Key]:
    """All keys that there can be, in their order."""
    return {
        "composite": [(tow, net) for tow in range(60) for net in ("", "A", "b", "é", "🐟")],
        "text": sorted((f"{'é' if n % 3 else 'tow '}{n:03}",) for n in range(300)),
        "number": [(n / 4,) for n in range(-150, 150)],
        "instant": [(datetime(2024, 5, 4, tzinfo=UTC) + timedelta(hours=n),) for n in range(300)],
        "day and half": [(date(2024, 1, 1) + timedelta(days=n), late) for n in range(150) for late in (False, True)],
    }[kind]


@dataclass
class Edits:
    """What people do to a table, at random: each save is a list of changes of different rows."""

    kind: str
    dice: random.Random
    done: Counter[str] = field(default_factory=Counter)

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([*KEYS[self.kind], *COLUMNS])

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(KEYS[self.kind].names)

    def value(self, column: str) -> Value:
        dice = self.dice
        options: dict[str, Sequence[Value]] = {
            "volume": (None, 0.0, -0.0, math.nan, math.inf, dice.random()),
            "count": (None, 0, 2**63 - 1, -(2**63), dice.randrange(10**6)),
            "is_day": (None, True, False),
            "vessel": (None, "", "Méridian 🐟", str(dice.random())),
            "day": (None, date(1, 1, 1), date(2024, 1, 1) + timedelta(days=dice.randrange(999))),
            "at": (None, datetime(1900, 1, 1), datetime(2024, 5, 4, 18, 3, 9, dice.randrange(10**6))),
        }
        return dice.choice(options[column])

    def row(self, key: Key) -> Row:
        return {**dict(zip(self.key, key, strict=True)), **{name: self.value(name) for name in COLUMNS.names}}

    def first(self) -> pa.Table:
        share = self.dice.choice((0.4, 0.7, 0.95))
        keys = [key for key in key_space(self.kind) if self.dice.random() < share]
        return tables.sort(tables.from_rows([self.row(key) for key in keys], self.schema), self.key)

    def save(self, table: pa.Table) -> list[RowChange]:
        """Changes of a table, in no order; at most one a row."""
        rows = {key_of(row, self.key): row for row in table.to_pylist()}
        way = self.dice.choice(
            (self._cells, self._cells, self._cells, self._block, self._block, self._moved, self._ends)
        )
        if self.dice.random() < 0.02:
            way = self._nothing_left
        changes = {change.key(self.key): change for change in way(rows)}
        self.done.update(change.kind for change in changes.values())
        return self.dice.sample(list(changes.values()), len(changes))

    def _update(self, row: Row) -> RowChange:
        columns = self.dice.sample(COLUMNS.names, self.dice.choice((1, 1, 1, 2, 6)))
        return RowChange(row, {**row, **{name: self.value(name) for name in columns}})

    def _cells(self, rows: dict[Key, Row]) -> Iterator[RowChange]:
        """Some cells, scattered or not."""
        for key in self.dice.sample(list(rows), min(len(rows), self.dice.choice((1, 10, 60, 150)))):
            yield self._update(rows[key])

    def _block(self, rows: dict[Key, Row]) -> Iterator[RowChange]:
        """A stretch of keys: those that are there are changed or go, the others come."""
        space = key_space(self.kind)
        start, length = self.dice.randrange(len(space)), self.dice.choice((1, 8, 60, 200))
        stay = self.dice.choice((0.0, 0.0, 0.5, 1.0))
        for key in space[start : start + length]:
            if key in rows:
                yield self._update(rows[key]) if self.dice.random() < stay else RowChange(rows[key], None)
            elif self.dice.random() < 0.8:
                yield RowChange(None, self.row(key))

    def _moved(self, rows: dict[Key, Row]) -> Iterator[RowChange]:
        """Rows that get another key."""
        free = [key for key in key_space(self.kind) if key not in rows]
        count = min(len(rows), len(free), self.dice.choice((1, 3)))
        for old, new in zip(self.dice.sample(list(rows), count), self.dice.sample(free, count), strict=True):
            self.done["moved"] += 1
            yield RowChange(rows[old], None)
            yield RowChange(None, {**rows[old], **dict(zip(self.key, new, strict=True))})

    def _ends(self, rows: dict[Key, Row]) -> Iterator[RowChange]:
        """Rows before the first one and behind the last one."""
        free = [key for key in key_space(self.kind) if key not in rows]
        for name, keys in (("before", free[:2]), ("behind", free[-2:])):
            outside = [key for key in keys if not rows or (key < min(rows) if name == "before" else key > max(rows))]
            self.done[name] += len(outside)
            yield from (RowChange(None, self.row(key)) for key in outside)

    def _nothing_left(self, rows: dict[Key, Row]) -> Iterator[RowChange]:
        self.done["emptied"] += 1
        return (RowChange(row, None) for row in rows.values())


def written(table: pa.Table, key: tuple[str, ...], usual: int = USUAL) -> bytes:
    return to_parquet(table, key, commit_metadata("commit-0", 0), group=usual)


def body_of(spliced: Spliced, old: bytes, rules: Rules = RULES) -> bytes:
    """The new file as a store makes it of parts."""
    source = BytesSource(old)
    parts = layout(spliced.pieces, len(old), rules)
    assert sum(map(len, parts)) == size(spliced.pieces)
    return b"".join(part.read(source) if isinstance(part, Upload) else old[part.start : part.stop] for part in parts)


def save(body: bytes, key: tuple[str, ...], changes: Sequence[RowChange], number: int = 1) -> tuple[Spliced, bytes]:
    """The file after these changes, and how it came about."""
    file = TableFile.of_bytes(body)
    spliced = splice(file, key, changes, commit=f"commit-{number}", number=number, shape=SHAPE)
    return spliced, body_of(spliced, body)


def check(body: bytes, key: tuple[str, ...], meant: pa.Table, number: int) -> None:
    """A file holds exactly these rows, and says of itself what is true."""
    file = TableFile.of_bytes(body)
    assert is_identical(file.table(), meant)
    assert file.footer.metadata["towline.commit"] == f"commit-{number}"
    assert file.footer.metadata["towline.number"] == str(number)
    chunks = [chunk for group in file.footer.groups() for chunk in group.chunks]
    spans = sorted((chunk.start, chunk.stop) for chunk in chunks)
    assert all(one[1] <= two[0] for one, two in pairwise(spans))
    used = [s for c in chunks for s in ((c.start, c.stop), c.column_index, c.offset_index) if s]
    assert file.footer.dead == file.footer.start - 4 - sum(stop - start for start, stop in used)
    arrow = file.footer.arrow
    order = [meant.schema.names.index(column) for column in key]
    for number_ in range(arrow.num_row_groups):
        assert [column.column_index for column in arrow.row_group(number_).sorting_columns] == order


def check_readers(body: bytes, key: tuple[str, ...], meant: pa.Table, path: Path) -> None:
    """Every reader finds the same rows; single rows are found by their page indexes."""
    path.write_bytes(body)
    assert is_identical(pq.read_table(io.BytesIO(body)).cast(meant.schema), meant)
    assert is_identical(pl.read_parquet(io.BytesIO(body)).to_arrow().cast(meant.schema), meant)
    with duckdb.connect() as database:
        found = database.sql(f"SELECT * FROM read_parquet('{path}')").to_arrow_table()  # noqa: S608 - our own path
    assert is_identical(found.cast(meant.schema), meant)
    some = meant.slice(meant.num_rows // 2, 3)
    rows = TableFile.of_bytes(body).rows([key_of(row, key) for row in some.to_pylist()], key)
    assert is_identical(tables.from_rows(rows.values(), meant.schema).sort_by([(c, "ascending") for c in key]), some)
