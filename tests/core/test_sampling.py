"""Samples of sound files: real files of the same format, with the first rows in them."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable
from datetime import datetime

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core import raw
from towline.files import read_table
from towline.parquet.source import BytesSource
from towline.sampling.bounds import PAGES_MAX, SAMPLE_MAX
from towline.sampling.sample import Sample, sample

READERS: dict[str, Callable[[bytes], int]] = {
    "csv": lambda body: read_table(body, "x.csv")[0].num_rows,
    "tsv": lambda body: read_table(body, "x.tsv")[0].num_rows,
    "json": lambda body: len(json.loads(body)),
    "jsonl": lambda body: len(body.splitlines()),
    "parquet": lambda body: pq.read_table(io.BytesIO(body)).num_rows,
    "xlsx": lambda body: read_table(body, "x.xlsx")[0].num_rows,
}
READERS |= {
    f"{kind}.gz": lambda body, of=kind: READERS[of](gzip.decompress(body)) for kind in ("csv", "tsv", "json", "jsonl")
}


def sampled(name: str, body: bytes, rows: int = 100) -> Sample:
    return sample(BytesSource(body, name), name, rows=rows)


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("rows", [1, 7, 100, 1000])
def test_a_sample_is_a_file_of_its_kind_with_the_first_rows(kind: str, rows: int) -> None:
    name = f"rounds.{kind}"
    found = sampled(name, raw.FILES[name], rows)
    assert (found.name, found.about["kind"]) == (name, kind)
    assert READERS[kind](found.body) == int(found.about["rows"]) == min(rows, 300)


@pytest.mark.parametrize("name", raw.FILES)
def test_the_same_file_has_the_same_sample(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sampled(name, raw.FILES[name])
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert sampled(name, raw.FILES[name]) == first


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250"])
@pytest.mark.parametrize("separator", [",", ";", "|"])
def test_a_csv_is_cut_in_its_own_bytes(encoding: str, separator: str) -> None:
    body = raw.delimited(separator, 300, encoding)
    found = sampled("rounds.csv", body, 9)
    assert found.body == raw.delimited(separator, 9, encoding)
    assert sampled("rounds.csv", body, 300).body == sampled("rounds.csv", body, 301).body == body


@pytest.mark.parametrize(
    ("body", "cut"),
    [
        (b'a,b\n5" pipe,1\n6" pipe,2\n', b'a,b\n5" pipe,1\n'),
        (b'a,b\n"x\n""y"" ",1\n2,2\n', b'a,b\n"x\n""y"" ",1\n'),
        (b"a,b\n\n1,2,3,4\n5\n", b"a,b\n\n1,2,3,4\n"),
        (b"a\r1\r2\r", b"a\r1\r"),
        (b"a\r\n1\r\n2", b"a\r\n1\r\n"),
        (b'a,b\n"never closed,1\n2,2\n', b'a,b\n"never closed,1\n2,2\n'),
        (b"a\tb\n\t\n1\t2\n", b"a\tb\n\t\n"),
    ],
)
def test_rows_end_where_a_reader_of_csv_ends_them(body: bytes, cut: bytes) -> None:
    assert sampled("x.csv", body, 1).body == cut


@pytest.mark.parametrize(
    ("document", "cut"),
    [
        (b' [1, "a]", {"b": [1, 2, 3]}, 4] ', b'[1, "a]"]'),
        (b"[1, 2]\n", b"[1, 2]\n"),
        (b'{"type": "x", "features": [1, [2, 3], 4], "n": {"m": [5, 6, 7]}}', None),
        (b'{"features": [1, 2, 3], "more": [4, 5, 6], "last": 7}', b'{"features": [1, 2], "more": [4, 5], "last": 7}'),
        (b'{"a": "\\"]}", "b": []}', b'{"a": "\\"]}", "b": []}'),
    ],
)
def test_json_is_cut_between_elements(document: bytes, cut: bytes | None) -> None:
    expected = b'{"type": "x", "features": [1, [2, 3]], "n": {"m": [5, 6, 7]}}' if cut is None else cut
    assert json.loads(sampled("x.json", document, 2).body) == json.loads(expected)


def test_a_record_of_json_keeps_all_of_its_own_lists() -> None:
    found = json.loads(sampled("x.json", json.dumps([{"fixes": list(range(500))}] * 3).encode(), 2).body)
    assert [len(record["fixes"]) for record in found] == [500, 500]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_json_is_cut_in_its_own_encoding(encoding: str) -> None:
    body = json.dumps(raw.RECORDS, ensure_ascii=False).encode(encoding)
    assert json.loads(sampled("x.json", body, 2).body) == raw.RECORDS[:2]


def test_what_has_no_more_rows_is_kept_as_it_is() -> None:
    for name in ("rounds.csv", "rounds.jsonl", "rounds.json", "rounds.csv.gz", "rounds.json.gz"):
        found = sampled(name, raw.FILES[name], 301)
        assert (found.body, found.about["whole"]) == (raw.FILES[name], "true")


def test_a_parquet_sample_has_the_types_of_the_file_and_its_first_rows() -> None:
    table = pa.table(
        {
            "at": pa.array(range(5000), pa.timestamp("us", "UTC")),
            "kind": pa.array(["a", "b", None, "c", "a"] * 1000).dictionary_encode(),
            "price": pa.array([None, *range(4999)], pa.decimal128(12, 2)),
            "long": pa.array([f"{n:099}" for n in range(5000)], pa.large_string()),
            "none": pa.nulls(5000),
        }
    )
    options = {"row_group_size": 30, "data_page_size": 200, "write_batch_size": 7}
    for written in ({}, options, {**options, "data_page_version": "2.0", "compression": "gzip"}):
        found = sampled("x.parquet", raw.parquet(table, **written), 100)
        assert pq.read_table(io.BytesIO(found.body)).equals(table.slice(0, 100)), found.about


def test_of_a_large_parquet_file_only_pages_are_read() -> None:
    table = pa.table({f"c{n}": pa.array(range(n, 200_000 + n)) for n in range(10)})
    body = raw.parquet(table, use_dictionary=False, compression="none", data_page_size=64 * 1024)
    assert len(body) > 15_000_000
    source = raw.Made(len(body), lambda start, stop: body[start:stop])
    found = sample(source, "large.parquet")
    assert found.about == {"kind": "parquet", "rows": "100"}
    assert source.read_so_far <= SAMPLE_MAX


def test_pages_of_a_megabyte_are_read_whole() -> None:
    values = pa.array(range(300_000), pa.float64())
    body = raw.parquet(pa.table({f"c{n}": values for n in range(4)}))
    source = raw.Made(len(body), lambda start, stop: body[start:stop])
    assert sample(source, "large.parquet").about == {"kind": "parquet", "rows": "100"}
    assert SAMPLE_MAX < source.read_so_far < len(body) < PAGES_MAX


def test_the_sheets_of_a_workbook_keep_their_values() -> None:
    book = openpyxl.Workbook()
    for title in ("one", "two"):
        sheet = book.create_sheet(title)
        sheet.append(["n", "at", "text", "share"])
        for n in range(150):
            sheet.append([n, datetime(2026, 1, 1), "1+1", 0.5])
    sink = io.BytesIO()
    book.save(sink)
    found = sampled("book.xlsx", sink.getvalue(), 10)
    copy = openpyxl.load_workbook(io.BytesIO(found.body))
    rows = list(copy["two"].iter_rows(values_only=True))
    assert (len(rows), rows[10]) == (11, (9, datetime(2026, 1, 1), "1+1", 0.5))
    assert copy.sheetnames == ["Sheet", "one", "two"]


def test_of_a_large_workbook_there_are_the_sheets_that_can_be_read() -> None:
    numbers = random.Random(1)  # noqa: S311  # a seed for tests, not a secret
    row = b"<row>" + b"<c><v>%d</v></c>" * 50 + b"</row>"
    rows = b"".join(row % tuple(numbers.getrandbits(60) for _ in range(50)) for _ in range(2_000))
    large = b'<worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (raw.SHEETS, rows)
    book = openpyxl.Workbook()
    for title in ("two", "three"):
        book.create_sheet(title)
    sink = io.BytesIO()
    book.save(sink)
    body = raw.rezipped(sink.getvalue(), {f"xl/worksheets/sheet{n}.xml": large for n in (1, 2, 3)})
    assert len(body) > SAMPLE_MAX
    found = openpyxl.load_workbook(io.BytesIO(sampled("book.xlsx", body).body))
    assert [sheet.max_row for sheet in found.worksheets] == [101, 101, 101]


def test_a_zip_is_listed_with_the_first_rows_of_its_first_file() -> None:
    found = sampled("rounds.zip", raw.FILES["rounds.zip"], 3)
    with zipfile.ZipFile(io.BytesIO(found.body)) as archive:
        assert archive.namelist() == ["_manifest.txt", "rounds.csv"]
        assert archive.read("rounds.csv") == raw.delimited(rows=3)
        assert b"folder/rounds.csv" in archive.read("_manifest.txt")


def test_a_tar_is_listed_packed_or_not() -> None:
    names = {f"folder/{'n' * 150}": b"x" * 5000, "é.csv": b"y"}
    body = raw.tarred(names)
    found = sampled("a.tar", body)
    assert found.name == "a.tar.txt"
    assert [line.split("\t")[1::2][:2] for line in found.body.decode().splitlines()[1:]] == [
        ["5000", f"folder/{'n' * 150}"],
        ["1", "é.csv"],
    ]
    assert sampled("a.tgz", gzip.compress(body)).body == found.body


@pytest.mark.parametrize(("name", "said"), [("photo.png", "image/png"), ("notes.md", None)])
def test_of_what_nobody_knows_a_sample_tells(name: str, said: str | None) -> None:
    found = sampled(name, raw.FILES.get(name, b"# notes"))
    told = json.loads(found.body)
    assert (found.name, told.get("type"), told["name"]) == (f"{name}.meta.json", said, name)
    assert told["begins"]


@pytest.mark.parametrize(
    ("name", "head", "unit"),
    [
        ("large.csv", b"a,b\n", b"1,2\n"),
        ("large.csv", b"a,b\n", b'"' + b"x" * 30_000 + b'",2\n'),
        ("large.tsv", b"a\tb\n", b"1\t2\n"),
        ("large.jsonl", b"", b'{"a": 1}\n'),
        ("large.json", b"[", b'{"a": [1, {"b": 2}]},\n'),
        ("large.json", b'{"type": "x", "features": [', b'{"a": 1},'),
    ],
)
def test_of_two_gigabytes_two_megabytes_are_read(name: str, head: bytes, unit: bytes) -> None:
    source = raw.repeated(head, unit, 2 * 2**30)
    found = sample(source, name)
    assert "reason" not in found.about
    assert 0 < len(found.body) <= source.read_so_far <= SAMPLE_MAX
