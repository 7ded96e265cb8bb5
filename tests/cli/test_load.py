"""`towline load` and `towline trace`: files in bronze become rows, and tell where they went."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cli.conftest import Towline
from tests.core.thermometers import DATASET, PIPELINES, THERMOMETERS, bench, csv, land, readings
from towline.pipeline import registry


@pytest.fixture
def files(bucket: Towline, monkeypatch: pytest.MonkeyPatch) -> Towline:
    monkeypatch.setattr(registry, "home", lambda: PIPELINES)
    return bucket


def test_what_waits_is_loaded_and_told(files: Towline) -> None:
    entry = land(bench(files.store), 1, csv("a 1 0 1", "a 1 1 x", "a 2 2 2"))
    said = files.good("load", DATASET, "--no-gold").out
    assert "thermometers: 1 file, 2 rows; partitions: 2 written, 0 as they were, 0 taken away" in said
    assert f"{entry.ingest} loaded: 1 row refused" in said
    assert "nothing waits" in files.good("load", DATASET, "--no-gold").out
    found = files.good("load", DATASET, "--no-gold", "--full", "--json").json
    assert (found["full"], found["rows"], found["written"], len(found["kept"])) == (True, 2, [], 2)
    assert found["files"][entry.ingest]["refused"] == 1


def test_a_file_that_fails_makes_the_exit_code(files: Towline) -> None:
    at = bench(files.store)
    land(at, 1, csv("a 1 0 x"))
    land(at, 2, csv("b 1 0 1"))
    said = files("load", DATASET, "--no-gold")
    assert said.code == 10
    assert "readings has to refuse 1 of 1 rows (100.0%)" in said.out
    assert readings(at) == [("b", 1.0)]


def test_a_dataset_without_a_pipeline_is_named(files: Towline) -> None:
    said = files("load", "others")
    assert (said.code, "those that there are: thermometers" in said.err) == (13, True)


def test_what_is_said_of_masters_is_told(files: Towline, monkeypatch: pytest.MonkeyPatch) -> None:
    package = replace(THERMOMETERS, pipeline=replace(THERMOMETERS.pipeline, masters={"readings": "log"}))
    monkeypatch.setattr(registry, "package", lambda dataset: package)
    land(bench(files.store), 1, csv("a 1 0 1"))
    said = "thermometers.readings is for log, which is no dataset yet"
    assert said in files.good("load", DATASET, "--no-gold").out
    assert said in files.good("load", DATASET, "--no-gold", "--json").json["masters"][0]


def test_a_key_is_traced(files: Towline) -> None:
    entry = land(bench(files.store), 1, csv("a 1 0 1"))
    assert "not loaded" in files.good("trace", entry.raw).out
    files.good("load", DATASET, "--no-gold")
    said = files.good("trace", entry.raw).out
    assert f"{entry.raw} -> {entry.bronze}" in said
    assert "silver/thermometers/readings/day=2026-01-01/" in said
    (partition,) = files.good("trace", entry.bronze, "--json").json["silver"]
    assert files.good("trace", partition["key"], "--json").json["files"][0]["raw"] == entry.raw
