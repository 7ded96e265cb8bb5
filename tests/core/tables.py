"""Strategies for tables with a key, and for changes of them."""

from __future__ import annotations

import math
from datetime import date, datetime

import pyarrow as pa
from hypothesis import strategies as st

from towline import table as tables
from towline.values import Row

KEY = ("tow", "net")
SCHEMA = pa.schema(
    [
        pa.field("tow", pa.int64(), nullable=False),
        pa.field("net", pa.string(), nullable=False),
        pa.field("volume", pa.float64()),
        pa.field("count", pa.int64()),
        pa.field("is_day", pa.bool_()),
        pa.field("vessel", pa.string()),
        pa.field("day", pa.date32()),
        pa.field("at", pa.timestamp("us")),
    ]
)
TYPES = dict(
    zip(
        SCHEMA.names,
        ["integer", "string", "number", "integer", "boolean", "string", "date", "datetime"],
        strict=True,
    )
)

# Few values, so that two sides often meet on the same cell, and the awkward ones among them.
_CELLS = {
    "volume": st.sampled_from([None, 0.0, -0.0, 1.5, math.nan, math.inf, 0.1 + 0.2]),
    "count": st.sampled_from([None, 0, 1, 2**63 - 1, -(2**63)]),
    "is_day": st.sampled_from([None, True, False]),
    "vessel": st.sampled_from([None, "", "null", "Méridian 🐟", '=1+1 "x",\n']),
    "day": st.sampled_from([None, date(1, 1, 1), date(2024, 2, 29)]),
    "at": st.sampled_from([None, datetime(1900, 1, 1), datetime(2024, 5, 4, 18, 3, 9, 250_001)]),
}
keys = st.tuples(st.integers(1, 3), st.sampled_from(["0", "1", "é"]))


def row(key: tuple[int, str]) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(_CELLS).map(lambda cells: {"tow": key[0], "net": key[1], **cells})


rows = st.sets(keys, max_size=6).flatmap(lambda chosen: st.tuples(*(row(key) for key in sorted(chosen))))
tables_ = rows.map(lambda found: tables.sort(tables.from_rows(found, SCHEMA), KEY))


def same_tables(one: pa.Table, other: pa.Table) -> bool:
    """Equal cell by cell, with the null, NaN and zero rules of values.same."""
    from towline.diff import diff

    return one.num_rows == other.num_rows and not diff(one, other, KEY)
