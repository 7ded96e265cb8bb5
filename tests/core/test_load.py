"""Loads: from bronze to silver."""

from __future__ import annotations

from tests.core.thermometers import THERMOMETERS, bench, csv, digests, land, rows, silver
from towline.pipeline.load import load


def test_files_become_rows_parted_by_day() -> None:
    at = bench()
    first = land(at, 1, csv("a 1 0 1.5", "a 2 0 2.5"))
    second = land(at, 2, csv("b 1 0 3.5"), kind="csv.gz")
    result = load(at, THERMOMETERS)
    assert set(result.taken) == {first.ingest, second.ingest}
    assert (result.rows, result.refused, result.more, result.failed) == (3, 0, False, {})
    assert sorted(digests(at)) == ["day=2026-01-01", "day=2026-01-02"]
    found = rows(at).select(["sensor", "temperature", "ingest"]).to_pylist()
    assert [tuple(row.values()) for row in found] == [
        ("a", 1.5, first.ingest),
        ("b", 3.5, second.ingest),
        ("a", 2.5, first.ingest),
    ]
    assert silver(at).tables["readings"]["day=2026-01-01"].sources == (first.ingest, second.ingest)
