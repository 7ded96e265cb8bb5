"""What a first look at a raw file finds: its kind, its columns, and why it cannot be read."""

from __future__ import annotations

import gzip

import pytest

from tests.core import raw
from towline.files import write_table
from towline.parquet.source import BytesSource
from towline.sampling.bounds import LOOK_MAX
from towline.sampling.kinds import HEAD, kind_of
from towline.sampling.look import Look, look

COLUMNS = {"csv": ("id", "name"), "tsv": ("id", "name"), "parquet": ("id", "name")}
COLUMNS |= dict.fromkeys(("json", "jsonl"), ("id", "name", "fixes"))


def looked(name: str, body: bytes) -> Look:
    return look(BytesSource(body, name), name)


@pytest.mark.parametrize("name", raw.FILES)
def test_sound_files_pass_with_their_kind_and_their_columns(name: str) -> None:
    body, kind = raw.FILES[name], raw.KINDS[name]
    assert looked(name, body) == Look(kind, COLUMNS.get(kind.removesuffix(".gz"), ()), (), body)


@pytest.mark.parametrize("kind", ["parquet", "xlsx", "zip", "tar", "tar.gz", "csv.gz"])
def test_magic_wins_over_a_wrong_ending(kind: str) -> None:
    assert kind_of("rounds.csv", raw.FILES[f"rounds.{kind}"][:HEAD]) == kind


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("export.json", b'{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("export.jsonl", b'[\n{"a": 1}\n]', "json"),
        ("export.jsonl", b'{"a": 1}', "jsonl"),
        ("export.csv", b'[{"a": 1}]', "json"),
        ("export.txt", b"a\tb\n1\t2\n", "tsv"),
        ("export", b"a;b\n1;2\n", "csv"),
        ("export.txt", "a,b\n1,2\n".encode("utf-16"), "csv"),
        ("notes.md", b"one, two\n", "unknown"),
        ("table.parquet", b"", "parquet"),
        ("table.csv.gz", b"a,b\n", "csv.gz"),
        ("export.json", b'{"a": "' + b"x" * 100_000 + b'"}\n{"a": 2}\n', "jsonl"),
        ("EXPORT.CSV", b"a,b\n1,2\n", "csv"),
    ],
)
def test_text_is_told_by_its_name_and_by_what_it_looks_like(name: str, body: bytes, kind: str) -> None:
    assert kind_of(name, body) == kind


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"a,b\r\n", "no rows, only a header"),
        ("a.csv", b"\r\n\r\n", "no rows"),
        ("a.csv", b"a,b\n1,\x00\n", "line 2 holds a NUL"),
        ("a.csv", b"caf\xc3\xa9,b\ncaf\xe9,2\n", "two encodings in one file"),
        ("a.csv", b",,\n1,2,3\n", "its header has no names"),
        ("a.csv", b"\x89PNG\r\n\x1a\n", "its type is image/png"),
        ("a.json", b"[]", "no rows"),
        ("a.json", b"{}", "no rows"),
        ("a.json", b"17", "no JSON array or object"),
        ("a.json", b'[{"a": 1}, {"a": ', "it is cut"),
        ("a.json", b'[{"a": 1}, {"b" 2}]', "no JSON: Expecting ':'"),
        ("a.json", b'[{"a": 1}] x', "something follows the JSON"),
        ("a.json", b'{"a": 1}]', "something follows the JSON"),
        ("a.json", b"\x00" * 100, "no JSON array or object"),
        ("a.jsonl", b"{'a': 1}\n", "no JSON"),
        ("a.jsonl", b"\n\n", "no rows"),
        ("a.parquet", raw.parquet()[:-1], "not a Parquet table"),
        ("a.parquet", raw.parquet(raw.TABLE.slice(0, 0)), "no rows"),
        ("a.parquet", b"a,b\n1,2\n", "not a Parquet table"),
        ("a.xlsx", raw.zipped({"a.csv": b"a,b\n"}), "no .xlsx workbook"),
        ("a.xlsx", write_table(raw.TABLE.slice(0, 0), "xlsx"), "no sheet of it has rows"),
        ("a.zip", raw.zipped({}), "holds no file"),
        ("a.zip", raw.zipped({"a": b"a"})[:-1], "damaged"),
        ("a.tar", raw.tarred({})[:1024], "holds no file"),
        ("a.tar", b"x" * 512, "damaged"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n")[:-2], "ends too early"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n") + b"rest", "something follows"),
        ("a.csv.gz", gzip.compress(b"a,b\n"), "no rows"),
        ("a.gz", gzip.compress(b""), "empty"),
    ],
)
def test_broken_files_are_told_with_the_reason(name: str, body: bytes, said: str) -> None:
    found = looked(name, body)
    assert len(found.problems) == 1
    assert said in found.problems[0]
    assert found.whole == body


def test_names_that_nothing_could_write_are_spelled_out() -> None:
    assert looked("a.json", b'[{"\\ud800": 1, "b": 2}]').columns == ("\\ud800", "b")


def test_of_a_large_file_only_the_beginning_is_read() -> None:
    source = raw.repeated(b"a,b\n", b"1,2\n", 2 * 2**30)
    assert look(source, "large.csv") == Look("csv", ("a", "b"), (), None)
    assert source.read_so_far == HEAD


def test_a_row_of_a_megabyte_is_told_and_not_read_on() -> None:
    source = raw.repeated(b"a,b\n", b"x", 2 * 2**30)
    assert "not one row is whole within" in look(source, "large.csv").problems[0]
    assert source.read_so_far <= LOOK_MAX
