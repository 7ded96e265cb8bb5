"""CSV for pipelines: rows as texts, whatever the columns are, and the lines that do not fit."""

from __future__ import annotations

import pytest

from tests.core.thermometers import bench, land
from towline.errors import UnreadableFile
from towline.pipeline import csvfile
from towline.pipeline.bronzefile import StoredFile
from towline.pipeline.csvfile import Texts, texts

COLUMNS = ("tow", "depth")


def read(body: bytes) -> list[Texts]:
    at = bench()
    return list(texts(StoredFile(at.store, land(at, 1, body)), COLUMNS))


def test_columns_that_are_not_there_are_null_and_others_are_told() -> None:
    (piece,) = read(b'\xef\xbb\xbftow,oxygen\n1,5.1\n,"a\nb"\n')
    assert {name: piece[name].to_pylist() for name in COLUMNS} == {"tow": ["1", None], "depth": [None, None]}
    assert (piece.row.to_pylist(), piece.unknown, len(piece.refused)) == ([1, 2], ["oxygen"], 0)


def test_lines_that_do_not_fit_are_refused_with_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "BLOCK", 16)
    pieces = read(b"tow,depth\n1,0\n2\n3,5\n4,6\n5,7\n6,8,9\n")
    found = {row: piece["tow"][at].as_py() for piece in pieces for at, row in enumerate(piece.row.to_pylist())}
    assert found == {1: "1", 3: "3", 4: "4", 5: "5"}
    refused = [row for piece in pieces for row in piece.refused.to_pylist()]
    assert [(row["row"], row["value"]) for row in refused] == [(2, "1 cells: 2"), (6, "3 cells: 6,8,9")]
    assert refused[0]["reason"] == "the line does not have 2 cells, as the header has"


def test_a_column_that_comes_twice_is_no_column() -> None:
    with pytest.raises(UnreadableFile, match="2 columns tow"):
        read(b"tow,depth,tow\n1,2,3\n")
