"""publish: what it asks for, and what it says where it cannot."""

from __future__ import annotations

import sys

import pytest

from tests.cli.conftest import Towline
from tests.core.catalogs import MemoryTables
from tests.core.lakes import MemoryLake
from towline import connect
from towline import open as open_dataset
from towline.errors import UsageError


@pytest.fixture
def lake(towline: Towline, monkeypatch: pytest.MonkeyPatch) -> MemoryLake:
    lake = MemoryLake("towline.tows_iceberg")
    monkeypatch.setattr(connect, "lake", lambda connection, dataset: lake)
    return lake


@pytest.fixture
def tables(towline: Towline, monkeypatch: pytest.MonkeyPatch) -> MemoryTables:
    tables = MemoryTables()
    monkeypatch.setattr(connect, "copies", lambda connection: tables)
    return tables


def test_it_publishes_what_is_new(towline: Towline, lake: MemoryLake) -> None:
    assert towline.good("publish", "tows", "--iceberg").out == "published commit 1 of tows to towline.tows_iceberg\n"
    towline.good("edit", "tows", "--where", "tow=1,net=0", "--set", "count=13", "--note", "recount")
    dry = towline.good("publish", "tows", "--iceberg", "--dry-run", "--json").json
    assert (dry["dry_run"], dry["last"]["number"], [each["number"] for each in dry["commits"]]) == (True, 1, [2])
    assert dry["published"] == []
    done = towline.good("publish", "tows", "--iceberg", "--json").json
    assert [(each["number"], each["snapshot"]) for each in done["published"]] == [(2, 2)]
    assert "nothing to publish" in towline.good("publish", "tows", "--iceberg").out
    again = towline.good("publish", "tows", "--iceberg", "--rebuild")
    assert again.out == "published commits 1 to 2 of tows to towline.tows_iceberg, made anew\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tows"], "say what to publish"),
        (["tows", "--iceberg", "--partition-by", "vessel"], "say what to publish"),
        (["tows", "--partition-by", "vessel", "--rebuild"], "about an Iceberg table"),
        (["tows", "--partition-by", "volume"], "'volume' has the type number"),
        (["tows", "--partition-by", "vessel,vessel"], "each once"),
        (["tows", "--iceberg", "--from", "1", "--head-only"], "say one of them"),
        (["tows", "--iceberg", "--from", "soon"], "soon"),
    ],
)
def test_what_makes_no_sense_is_told(
    towline: Towline, lake: MemoryLake, tables: MemoryTables, arguments: list[str], message: str
) -> None:
    result = towline("publish", *arguments)
    assert result.code in (2, 13)
    assert message in result.err
    assert lake.line is None
    assert tables.table is None


def test_another_history_is_refused_with_the_way_out(towline: Towline, lake: MemoryLake) -> None:
    towline.good("publish", "tows", "--iceberg")
    assert lake.line is not None
    lake.line[0][0].summary["towline.chain"] = "f" * 64  # type: ignore[index]
    result = towline("publish", "tows", "--iceberg", "--json")
    assert (result.code, result.json["error"]) == (14, "refused")
    assert "--rebuild" in result.json["message"]


def test_a_partitioned_copy_is_published_once(towline: Towline, tables: MemoryTables) -> None:
    dry = towline.good("publish", "tows", "--partition-by", "vessel", "--dry-run").out
    assert dry.splitlines() == [
        "vessel=Meridian/ (2 rows)",
        "vessel=Méridian%2C%20II/ (1 rows)",
        "would publish commit 1 of tows to towline.tows_by_vessel, 2 partitions",
    ]
    assert tables.table is None
    done = towline.good("publish", "tows", "--partition-by", "vessel").out
    assert done == "published commit 1 of tows to towline.tows_by_vessel, 2 partitions\n"
    again = towline.good("publish", "tows", "--partition-by", "vessel", "--json").json
    assert (again["published"], again["table"], again["number"]) == (False, "towline.tows_by_vessel", 1)
    assert again["partitions"] == [{"values": ["Meridian"], "rows": 2}, {"values": ["Méridian, II"], "rows": 1}]
    assert "nothing to publish" in towline.good("publish", "tows", "--partition-by", "vessel").out
    tables.table = None
    assert "tows_by_tow_net" in towline.good("publish", "tows", "--partition-by", "tow,net").out


def test_python_asks_for_one_of_the_two(towline: Towline, lake: MemoryLake, tables: MemoryTables) -> None:
    dataset = open_dataset("tows")
    for wrong in ({}, {"iceberg": True, "partition_by": "vessel"}, {"partition_by": "vessel", "rebuild": True}):
        with pytest.raises(UsageError, match="either iceberg=True"):
            dataset.publish(**wrong)  # type: ignore[call-overload]
    assert [each.number for each in dataset.publish(iceberg=True).published] == [1]
    assert dataset.publish(partition_by="vessel", dry_run=True).is_new
    assert tables.table is None
    assert dataset.publish(partition_by=["vessel", "tow"]).table == "tows_by_vessel_tow"


def test_without_pyiceberg_it_says_how_to_install_it(towline: Towline, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pyiceberg"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "towline.aws.iceberg", raising=False)
    monkeypatch.setitem(sys.modules, "pyiceberg", None)
    result = towline("publish", "tows", "--iceberg")
    assert result.code == 2
    assert "uv sync --group iceberg" in result.err
