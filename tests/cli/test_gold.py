"""`towline gold`: what SQL makes of silver, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cli.conftest import Towline
from tests.core.lake_engine import LakeEngine
from tests.core.thermometers import DATASET, PIPELINES, THERMOMETERS, bench, csv, land
from towline import connect
from towline.connect import Connection
from towline.pipeline import registry


@pytest.fixture
def described(bucket: Towline, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The databases whose tables were described. A file waits in bronze."""
    told: list[str] = []
    monkeypatch.setattr(registry, "home", lambda: PIPELINES)
    monkeypatch.setattr(Connection, "engine", LakeEngine(bucket.store, THERMOMETERS))
    monkeypatch.setattr(connect, "describe", lambda connection: told.append(connection.database))
    land(bench(bucket.store), 1, csv("a 1 0 1.5", "a 2 0 2.5"))
    return told


def test_gold_is_made_where_silver_has_changed(bucket: Towline, described: list[str]) -> None:
    bucket.good("load", DATASET, "--no-gold")
    assert described == []
    said = bucket.good("gold", DATASET).out
    assert "gold: 2 rows; partitions: 2 written, 0 as they were, 0 taken away" in said
    assert "1 statement, 100 bytes read, 0.000048 USD on AWS" in said
    assert described
    assert "gold: as it was" in bucket.good("gold", DATASET).out
    found = bucket.good("gold", DATASET, "--full", "--json").json
    assert (found["rebuilt"], found["kept"][0], found["silver"]) == ([], ["warmest_by_day", "day=2026-01-01"], 1)


def test_a_load_makes_it_too(bucket: Towline, described: list[str]) -> None:
    assert bucket.good("load", DATASET, "--json").json["gold"]["rows"] == 2
    assert "gold: as it was" in bucket.good("load", DATASET).out


def test_what_cannot_be_made_is_told(bucket: Towline, described: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "those that there are: thermometers" in bucket("gold", "others").err
    bucket.good("load", DATASET)
    broken = replace(THERMOMETERS, gold={"broken": "-- partition: day\nSELECT day, hotness FROM readings"})
    monkeypatch.setattr(registry, "package", lambda dataset: broken)
    said = bucket("gold", DATASET)
    assert said.code != 0
    assert "datasets/thermometers/gold/broken.sql" in said.err
    assert "hotness" in said.err
