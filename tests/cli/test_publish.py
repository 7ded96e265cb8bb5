"""publish: what it asks for, and what it says where it cannot."""

from __future__ import annotations

import sys

import pytest

from tests.cli.conftest import Towline
from tests.core.lakes import MemoryLake
from towline import connect


@pytest.fixture
def lake(towline: Towline, monkeypatch: pytest.MonkeyPatch) -> MemoryLake:
    lake = MemoryLake("towline.tows_iceberg")
    monkeypatch.setattr(connect, "lake", lambda connection, dataset: lake)
    return lake


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
        (["tows", "--iceberg", "--from", "1", "--head-only"], "say one of them"),
        (["tows", "--iceberg", "--from", "soon"], "soon"),
    ],
)
def test_what_makes_no_sense_is_told(towline: Towline, lake: MemoryLake, arguments: list[str], message: str) -> None:
    result = towline("publish", *arguments)
    assert result.code in (2, 13)
    assert message in result.err
    assert lake.line is None


def test_another_history_is_refused_with_the_way_out(towline: Towline, lake: MemoryLake) -> None:
    towline.good("publish", "tows", "--iceberg")
    assert lake.line is not None
    lake.line[0][0].summary["towline.chain"] = "f" * 64  # type: ignore[index]
    result = towline("publish", "tows", "--iceberg", "--json")
    assert (result.code, result.json["error"]) == (14, "refused")
    assert "--rebuild" in result.json["message"]


def test_without_pyiceberg_it_says_how_to_install_it(towline: Towline, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pyiceberg"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "towline.aws.iceberg", raising=False)
    monkeypatch.setitem(sys.modules, "pyiceberg", None)
    result = towline("publish", "tows", "--iceberg")
    assert result.code == 2
    assert "uv sync --group iceberg" in result.err
