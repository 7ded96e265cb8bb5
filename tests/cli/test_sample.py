"""`towline sample`: the first rows of a file, wherever it lies."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import openpyxl
import pytest

from tests.cli.conftest import Towline
from tests.core import raw
from towline.inbox import Arrival
from towline.ingest.receive import receive
from towline.ingest.sampled import sampled

BRONZE = "bronze/golf/ingest_date=2026-11-28/214500--"


def put(towline: Towline, key: str, body: bytes) -> Arrival:
    stat = towline.store.put(key, body)
    return Arrival(stat.key, stat.version, stat.etag, stat.size)


@pytest.mark.parametrize("kind", ["csv", "tsv.gz", "json", "jsonl", "parquet", "xlsx", "zip"])
def test_a_sample_is_shown_as_a_table(towline: Towline, kind: str) -> None:
    name = f"rounds.{kind}"
    put(towline, BRONZE + name, raw.FILES[name])
    out = towline.good("sample", BRONZE + name).out
    assert "19" in out
    assert "\n20 " not in out
    assert "név" in out
    assert f"214500--{name}: {raw.KINDS[name]}" in out


def test_a_workbook_of_several_sheets_shows_the_first(towline: Towline) -> None:
    book, sink = openpyxl.Workbook(), io.BytesIO()
    for row in (("course", "pace"), ("heronpoint", 4.5), ("cedarhollow", "none")):
        book.worksheets[0].append(row)
    book.create_sheet("other").append(("a", "b"))
    book.save(sink)
    put(towline, BRONZE + "rounds.xlsx", sink.getvalue())
    out = towline.good("sample", BRONZE + "rounds.xlsx").out
    assert [line.split() for line in out.splitlines()[2:4]] == [["heronpoint", "4.5"], ["cedarhollow", "none"]]
    assert "1 more sheet." in out
    assert "PK" not in out


def test_what_is_meant_for_programs_is_not_shown(towline: Towline) -> None:
    put(towline, BRONZE + "x.gz", gzip.compress(b"\x89PNG\x00\x1b[31m"))
    out = towline.good("sample", BRONZE + "x.gz").out
    assert "neither a text nor a table" in out
    assert "PNG" not in out


def test_a_stored_sample_is_shown_and_a_longer_one_is_made(towline: Towline) -> None:
    arrival = put(towline, BRONZE + "rounds.csv", raw.FILES["rounds.csv"])
    written = sampled(towline.pipeline.bench, arrival)
    assert written
    for key in (arrival.key, written.key):
        assert len(towline.good("sample", key, "--json").json["data"]["rows"]) == 100
    assert len(towline.good("sample", arrival.key, "-n", "250", "--json").json["data"]["rows"]) == 250
    assert [entry.key for entry in towline.store.list("samples/")] == [written.key]


@pytest.mark.parametrize(
    ("body", "place", "said"),
    [(raw.FILES["rounds.csv"], "bronze/", "csv, 100 rows"), (b"a\tb\n\x00", "quarantine/", "csv, 1 rows")],
)
def test_a_raw_file_is_found_where_it_is_kept(towline: Towline, body: bytes, place: str, said: str) -> None:
    arrival = put(towline, "raw/golf/north/rounds.csv", body)
    assert said in towline.good("sample", arrival.key).out
    entry = receive(towline.pipeline.bench, arrival, lambda dataset: None, lambda entry: None)
    assert entry
    kept = entry.bronze or entry.quarantine
    assert kept.startswith(place)
    towline.store.delete(arrival.key)
    out = towline.good("sample", arrival.key).out
    assert said in out
    assert kept.rsplit("/", 1)[1] in out


def test_a_sample_is_written_to_a_file_as_it_is(towline: Towline, tmp_path: Path) -> None:
    sampled(towline.pipeline.bench, put(towline, BRONZE + "rounds.csv", raw.FILES["rounds.csv"]))
    target = tmp_path / "sample.csv"
    towline.good("sample", BRONZE + "rounds.csv", "-n", "3", "-o", str(target))
    assert target.read_bytes() == raw.delimited(rows=3)
    assert towline("sample", BRONZE + "rounds.csv", "-o", str(target)).code == 2


def test_what_is_no_table_is_text(towline: Towline) -> None:
    put(towline, BRONZE + "a.tar", raw.FILES["rounds.tar"])
    put(towline, BRONZE + "photo.png", raw.FILES["photo.png"])
    assert "readme.txt" in towline.good("sample", BRONZE + "a.tar").out
    assert "image/png" in towline.good("sample", BRONZE + "photo.png").out
    assert "image/png" in towline.good("sample", BRONZE + "photo.png", "--json").json["text"]


def test_ragged_rows_and_names_that_come_twice_are_shown(towline: Towline) -> None:
    put(towline, BRONZE + "a.csv", b"a,a,\n1\n1,2,3,\x1b[2J\n")
    put(towline, BRONZE + "b.csv", b'"\x1b[2J\n",b\n1,2\n')
    found = towline.good("sample", BRONZE + "a.csv", "--json").json["data"]
    assert found["columns"] == ["a", "a (2)", "column 3", "column 4"]
    assert found["rows"][0] == {"a": "1", "a (2)": None, "column 3": None, "column 4": None}
    assert "\x1b" not in towline.good("sample", BRONZE + "a.csv").out
    assert "␛[2J " in towline.good("sample", BRONZE + "b.csv").out


def test_of_a_wide_table_some_columns_are_shown(towline: Towline) -> None:
    put(towline, BRONZE + "wide.csv", b",".join(b"c%d" % n for n in range(1700)) + b"\n" + b"1," * 1699 + b"1\n")
    assert "and 1,660 more columns" in towline.good("sample", BRONZE + "wide.csv").out


def test_a_workbook_can_be_opened_again(towline: Towline, tmp_path: Path) -> None:
    put(towline, BRONZE + "rounds.xlsx", raw.FILES["rounds.xlsx"])
    towline.good("sample", BRONZE + "rounds.xlsx", "-o", str(tmp_path / "x.xlsx"))
    assert openpyxl.load_workbook(io.BytesIO((tmp_path / "x.xlsx").read_bytes())).active.max_row == 101


@pytest.mark.parametrize(
    ("key", "code", "said"),
    [
        ("data/golf/master.parquet", 2, "is no key of a file"),
        ("raw/GOLF", 2, "is no raw key"),
        ("bronze/golf/none.csv", 13, "none.csv"),
        ("samples/golf/none.csv", 13, "name its bronze file"),
    ],
)
def test_other_keys_are_refused_with_the_way_out(towline: Towline, key: str, code: int, said: str) -> None:
    result = towline("sample", key)
    assert result.code == code
    assert said in result.err
