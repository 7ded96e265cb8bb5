"""What is written reads back the same: every value, every null, every empty text."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from towline.contract import Contract
from towline.errors import UsageError
from towline.files import read_table, write_table
from towline.values import same

CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "id", "type": "integer"},
            {"name": "=text, \"quoted\"", "type": "string"},
            {"name": "x", "type": "number"},
            {"name": "b", "type": "boolean"},
            {"name": "d", "type": "date", "format": "%d.%m.%Y"},
            {"name": "at", "type": "datetime"},
            {"name": "f", "type": "datetime", "format": "%Y%m%dT%H%M%S.%f"},
            {"name": "utc", "type": "datetime", "towline": {"timezone": "UTC"}},
        ],
        "primaryKey": "id",
        "missingValues": ["", "NA", "-999"],
        "towline": {"version": 1, "dataset": "things"},
    }
)  # fmt: skip
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")) | st.sampled_from(
    ["", "NA", "-999", " ", '"', '""', ",", "a\r\nb", "\n", "'", "=1+1", "nan", "TRUE", "\ufeff", " NA "]
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(-(2**63), 2**63 - 1),
            CONTRACT.names[1]: st.none() | TEXTS,
            # -999 stands for a missing value in this contract, so no number can be it.
            "x": st.none() | st.sampled_from([math.nan, -math.inf, -0.0]) | st.floats().filter(lambda x: x != -999),
            "b": st.none() | st.booleans(),
            "d": st.none() | st.dates(),
            "at": st.none() | st.datetimes(),
            "f": st.none() | st.datetimes(),
            "utc": st.none() | st.datetimes(timezones=st.just(UTC)),
        }
    ).filter(lambda row: row["id"] != -999),
    max_size=4,
)


def assert_same(left: pa.Table, right: pa.Table) -> None:
    assert left.schema.equals(right.schema)
    for name in left.column_names:
        pairs = zip(left.column(name).to_pylist(), right.column(name).to_pylist(), strict=True)
        assert all(same(a, b) for a, b in pairs), (name, left.column(name), right.column(name))


@given(ROWS, st.sampled_from(["csv", "parquet"]))
def test_every_table_that_fits_a_contract_survives(rows: list[dict[str, Any]], format: str) -> None:
    table = pa.Table.from_pylist(rows, schema=CONTRACT.schema)
    body = write_table(table, format, contract=CONTRACT)
    back, _ = read_table(body, f"t.{format}", CONTRACT)
    conformed, report = CONTRACT.conform(back)
    assert report.ok
    assert conformed is not None
    assert_same(conformed, table)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1), st.lists(st.floats(allow_nan=False), min_size=1))
def test_numbers_survive_without_a_contract(whole: list[int], fractions: list[float]) -> None:
    rows = min(len(whole), len(fractions))
    table = pa.table({"i": whole[:rows], "x": [*fractions[: rows - 1], 0.5]})
    assert_same(read_table(write_table(table, "csv"), "t.csv")[0], table)


@given(st.lists(st.none() | st.integers(0, 9)))
def test_a_table_of_one_column_survives_with_its_nulls(values: list[int | None]) -> None:
    table = pa.table({"a": pa.array([*values, 1], pa.int64())})
    assert_same(read_table(write_table(table, "csv"), "t.csv")[0], table)


def test_csv_is_written_as_people_expect_it() -> None:
    table = pa.Table.from_pylist(
        [
            {
                "id": 1,
                CONTRACT.names[1]: 'a "b", c',
                "x": 248.0,
                "b": True,
                "d": date(2024, 5, 4),
                "at": datetime(2024, 5, 4, 18, 3, 9),
                "f": datetime(2024, 5, 4, 18, 3, 9, 5),
                "utc": datetime(2024, 5, 4, 18, 3, 9, 250_000, tzinfo=UTC),
            },
            {"id": 2, CONTRACT.names[1]: "", "x": math.nan},
            {"id": 3, "x": 1e-7},
        ],
        schema=CONTRACT.schema,
    )
    assert write_table(table, "csv", contract=CONTRACT).decode().splitlines() == [
        'id,"=text, ""quoted""",x,b,d,at,f,utc',
        '1,"a ""b"", c",248,TRUE,04.05.2024,2024-05-04T18:03:09,20240504T180309.000005,2024-05-04T18:03:09.250000Z',
        '2,"",nan,,,,,',
        "3,,1e-7,,,,,",
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_formulas_are_kept_and_escaped_only_on_request(text: str) -> None:
    table = pa.table({"id": [-1], "s": [text]})
    assert read_table(write_table(table, "csv"), "t.csv", None)[0].column("id").to_pylist() == [-1]
    kept = write_table(table, "csv").decode()
    escaped = write_table(table, "csv", escape_formulas=True).decode()
    assert text in kept
    assert f"'{text}" not in kept
    assert f"'{text}" in escaped
    assert "\n-1," in escaped, "numbers are no formulas"


def test_a_format_that_would_drop_a_part_of_a_time_is_refused() -> None:
    minutes = Contract.parse(
        {
            "fields": [{"name": "id", "type": "integer"},
                       {"name": "at", "type": "datetime", "format": "%Y-%m-%d %H:%M"}],
            "primaryKey": "id",
            "towline": {"version": 1, "dataset": "things"},
        }
    )  # fmt: skip
    table = pa.table({"id": [1], "at": [datetime(2024, 5, 4, 18, 3, 9)]}, schema=minutes.schema)
    with pytest.raises(UsageError, match=r"column at: 2024-05-04 18:03:09 cannot be written as %Y-%m-%d %H:%M"):
        write_table(table, "csv", contract=minutes)


def test_the_real_table_is_written_byte_for_byte_as_it_came(real_table: Any) -> None:
    body = real_table.read_bytes()
    assert write_table(read_table(body, "master.csv")[0], "csv") == body
