"""`towline flatten`: one object of many parts, and what it will not do."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Towline

ALL = {"vessel": ["Sikuliaq"], "volume": [1.5], "count": [3], "is_day": [True], "at": ["noon"]}


def parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


@pytest.fixture
def parted(towline: Towline) -> Towline:
    """Two parts of the dataset's table, in another order and with other types, and a mark."""
    towline.store.put("exports/tows/0b1c", parquet(**ALL, net=pa.array([1], pa.int32()), tow=[2]))
    towline.store.put("exports/tows/0a.parquet", parquet(tow=[2], net=[0], **ALL))
    towline.store.put("exports/tows/_SUCCESS", b"")
    return towline


def read(towline: Towline, key: str) -> pa.Table:
    return pq.ParquetFile(pa.BufferReader(towline.store.get(key).body)).read()


def test_parts_become_one_object_by_the_contract(parted: Towline) -> None:
    said = parted.good("flatten", "exports/tows", "exports/tows.parquet", "--dataset", "tows")
    assert "left out: exports/tows/_SUCCESS (a hidden name)" in said.out
    assert "2 parts" in said.out
    assert "exports/tows.parquet: 2 rows" in said.out
    table = read(parted, "exports/tows.parquet")
    assert table.column_names == ["tow", "net", "vessel", "volume", "count", "is_day", "at"]
    assert table.select(["tow", "net"]).to_pylist() == [{"tow": 2, "net": 0}, {"tow": 2, "net": 1}]


def test_without_a_dataset_the_parts_say_what_the_columns_are(bucket: Towline) -> None:
    bucket.store.put("x/1", parquet(b=pa.array([1], pa.int32()), a=["one"], at=pa.array([None])))
    bucket.store.put("x/2", parquet(a=["a"], at=pa.array([5], pa.timestamp("us", "UTC")), b=[0.5]))
    bucket.store.put("x/3", parquet(nothing=pa.array([], pa.int64())))
    made = bucket.good("flatten", "x/", "y.parquet", "--key", "a, b", "--json").json
    assert made == {"key": "y.parquet", "rows": 2, "parts": 3, "bytes": made["bytes"], "ignored": []}
    table = read(bucket, "y.parquet")
    assert table.schema.names == ["b", "a", "at"]
    assert table.schema.types == [pa.float64(), pa.string(), pa.timestamp("us", "UTC")]
    assert table["b"].to_pylist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (parquet(a=["x"]), "x/2 lacks the column b"),
        (parquet(a=["x"], b=[1], c=[1]), "x/2 has the column c"),
        (parquet(a=["x"], b=["1"]), "x/2: column b holds the type string, and integer in the parts before it"),
        (parquet(a=["x"], b=[[1]]), "x/2: column 'b' is of type list"),
        (b"a,b", "x/2 is no Parquet file"),
    ],
)
def test_parts_that_do_not_agree_are_refused(bucket: Towline, other: bytes, said: str) -> None:
    bucket.store.put("x/1", parquet(a=["x"], b=[1]))
    bucket.store.put("x/2", other)
    result = bucket("flatten", "x/", "y.parquet", "--key", "a")
    assert (result.code, said in result.err) == (10, True), result.err
    assert [entry.key for entry in bucket.store.list("y")] == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["exports/tows", "y", "--dataset", "tows", "--key", "tow"], 2, "either"),
        (["exports/tows", "y"], 2, "either"),
        (["exports/tows", "y", "--key", "tow,depth"], 2, "no column 'depth'"),
        (["exports/tows", "y", "--key", "tow,tow"], 2, "twice"),
        (["exports/tows", "y", "--dataset", "nets"], 13, "nets"),
        (["exports/none", "y", "--dataset", "tows"], 13, "nothing lies there"),
        (["exports/tows", "exports/tows/all", "--dataset", "tows"], 2, "outside exports/tows"),
        (["exports/tows", "exports/", "--dataset", "tows"], 2, "cannot be the result"),
        (["exports/tows", "exports/tows/0b1c", "--dataset", "tows", "--replace"], 2, "outside exports/tows"),
        (["exports/tows", "data/tows/master.parquet", "--dataset", "tows", "--replace"], 14, "only Towline itself"),
        (["exports/tows", "sql/tows/01K/results/result.parquet", "--dataset", "tows"], 14, "only Towline itself"),
        (["exports/tows", "inbox/tows/ana/x.parquet", "--dataset", "tows"], 14, "only Towline itself"),
        (["exports/tows", "y", "--dataset", "tows", "--manifest", "s3://other/m.csv"], 2, "bucket other"),
        (["exports/tows", "y", "--dataset", "tows", "--manifest", "s3://towline/m.csv"], 13, "m.csv"),
    ],
)
def test_what_it_will_not_do_changes_nothing(parted: Towline, arguments: list[str], code: int, said: str) -> None:
    before = [(entry.key, entry.etag) for entry in parted.store.list("")]
    result = parted("flatten", *arguments)
    assert (result.code, said in result.err) == (code, True), result.err
    assert [(entry.key, entry.etag) for entry in parted.store.list("")] == before


def test_what_is_there_is_replaced_only_on_request(parted: Towline) -> None:
    arguments = ("flatten", "exports/tows", "sql/tows/next/ana/mine.parquet", "--dataset", "tows")
    parted.good(*arguments)
    again = parted(*arguments)
    assert (again.code, "--replace" in again.err) == (2, True)
    parted.store.put("m.csv", b"s3://towline/exports/tows/0b1c\n")
    parted.good(*arguments, "--replace", "--memory", "1", "--manifest", "s3://towline/m.csv")
    assert read(parted, "sql/tows/next/ana/mine.parquet")["net"].to_pylist() == [1]
