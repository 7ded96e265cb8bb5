"""A result of Athena's, read with its types and without loss."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from towline.aws.athena_result import ColumnInfo, distinct, read_result
from towline.errors import Corrupt


def read(text: str, **types: str) -> pa.Table:
    return read_result(text.encode(), [ColumnInfo(name, kind) for name, kind in types.items()], "s3://bucket/1.csv")


def test_every_type_comes_back_as_what_it_was() -> None:
    info = {"Name": "price", "Type": "decimal", "Precision": 5, "Scale": 2}
    kinds = {
        "n": "bigint",
        "x": "double",
        "r": "real",
        "yes": "boolean",
        "day": "date",
        "at": "timestamp",
        "s": "varchar",
    }
    columns = [*(ColumnInfo(name, kind) for name, kind in kinds.items()), ColumnInfo.of(info)]
    header = ",".join(f'"{column.name}"' for column in columns)
    row = '"-9223372036854775808","0.1","1.5","true","2024-05-04","2024-05-04 18:03:09.250","a","1.10"'
    table = read_result(f"{header}\n{row}\n,,,,,,,\n".encode(), columns, "s3://bucket/1.csv")
    assert table.schema.types[-1] == pa.decimal128(5, 2)
    assert [*table.to_pylist()[0].values()] == [
        *(-(2**63), 0.1, 1.5, True, date(2024, 5, 4), datetime(2024, 5, 4, 18, 3, 9, 250000), "a", Decimal("1.10"))
    ]
    assert set(table.to_pylist()[1].values()) == {None}


def test_an_empty_text_is_no_null_also_where_it_is_alone() -> None:
    assert read('"s"\n""\n\n"x"\n', s="varchar").column("s").to_pylist() == ["", None, "x"]
    assert read('"n","s"\n"1",""\n"2",\n', n="integer", s="varchar").column("s").to_pylist() == ["", None]


def test_floats_that_are_no_numbers_are_read() -> None:
    low, high, nan, big = read('"x"\n"-Infinity"\n"Infinity"\n"NaN"\n"1.7976931348623157E308"\n', x="double")[
        "x"
    ].to_pylist()
    assert (low, high, big) == (-math.inf, math.inf, 1.7976931348623157e308)
    assert math.isnan(nan)


def test_text_keeps_its_quotes_commas_and_line_breaks_in_cells_and_names() -> None:
    table = read('"a\n""b""","c"\n"1, ""2""\nx","y"\n', **{'a\n"b"': "varchar", "c": "varchar"})
    assert table.to_pylist() == [{'a\n"b"': '1, "2"\nx', "c": "y"}]


def test_what_no_type_holds_exactly_is_text_as_athena_prints_it() -> None:
    table = read('"a","t"\n"[1, 2]","2024-05-04 18:03:09.250 UTC"\n', a="array", t="timestamp with time zone")
    assert table.to_pylist() == [{"a": "[1, 2]", "t": "2024-05-04 18:03:09.250 UTC"}]


def test_a_result_without_rows_has_its_columns() -> None:
    assert read('"n","s"\n', n="bigint", s="varchar").schema == pa.schema({"n": pa.int64(), "s": pa.string()})


def test_columns_of_one_name_are_told_apart() -> None:
    assert distinct(["n", "n", "n_2", "n"]) == ["n", "n_3", "n_2", "n_4"]
    columns = [ColumnInfo("n", "bigint"), ColumnInfo("n", "varchar")]
    assert read_result(b'"n","n"\n"1","a"\n', columns, "x").to_pylist() == [{"n": 1, "n_2": "a"}]


@pytest.mark.parametrize("text", ['"n"\n"one"\n', '"n"\n"1","2"\n'])
def test_a_result_that_is_not_as_described_is_said_to_be_so(text: str) -> None:
    with pytest.raises(Corrupt, match=r"s3://bucket/1\.csv"):
        read(text, n="bigint")
