"""verify and prune: what people read, what programs get, and the exit codes."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import CONTRACT, Towline
from towline import commit, history, keys
from towline.errors import Refused


@pytest.fixture
def edited(towline: Towline) -> Towline:
    """Three commits."""
    for volume in ("1.5", "2.5"):
        towline.good("edit", "tows", "--where", "tow=1,net=0", "--set", f"volume={volume}", "--note", "why", "--wait")
    return towline


def record_key(towline: Towline, number: int) -> str:
    bench = towline.pipeline.bench
    return next(p.key for p in history.places(bench, "tows") if history.record(bench, p)["number"] == number)


def test_a_whole_history_is_said_to_be_whole(edited: Towline) -> None:
    result = edited.good("verify", "tows")
    assert "tows is whole: 3 commits and 3 versions of the master, every table replayed" in result.out
    assert f"chain {history.log(edited.pipeline.bench, 'tows')[0]['chain']}" in result.out
    assert "tables left out" in edited.good("verify", "tows", "--quick").out


def test_a_break_ends_with_10_and_names_what_to_do(edited: Towline) -> None:
    key = record_key(edited, 2)
    edited.store.delete(key)
    result = edited("verify", "tows")
    assert result.code == 10
    assert "tows is not whole: 1 break" in result.out
    assert "✕ commit 2: record.missing: the record of proposal" in result.out
    assert key in result.out
    assert "docs/runbook.md" in result.out


def test_programs_get_every_finding(edited: Towline) -> None:
    whole = edited.good("verify", "tows", "--json").json
    assert (whole["ok"], whole["commits"], whole["versions"], whole["findings"]) == (True, 3, 3, [])
    edited.store.put(keys.master("tows"), b"by hand")
    result = edited("verify", "tows", "--json")
    assert result.code == 10
    (finding,) = result.json["findings"]
    assert (finding["kind"], finding["number"], result.json["ok"]) == ("version.unrecorded", 4, False)


def test_a_note_is_shown_and_is_no_break(edited: Towline) -> None:
    edited.store.put(keys.master("tows"), b"by hand")
    commit.settled_head(edited.pipeline.bench, "tows")
    result = edited.good("verify", "tows")
    assert "• commit 4: version.external" in result.out
    assert "is whole" in result.out


def test_many_findings_are_counted_and_the_rest_is_for_programs(edited: Towline) -> None:
    for number in range(60):
        edited.store.put(f"audit/tows/2026-03-01/x{number}.jsonl", b"")
    result = edited("verify", "tows")
    assert result.out.count("record.unreadable") == 51, "fifty, and the first again in the last line"
    assert "… and 10 more (--json lists all)" in result.out


@pytest.mark.parametrize("verb", [["verify"], ["prune", "--keep", "3"]])
def test_a_dataset_that_is_not_there_is_13(towline: Towline, verb: list[str]) -> None:
    assert towline(verb[0], "nowhere", *verb[1:]).code == 13


def test_a_dry_run_lists_what_a_run_moves(edited: Towline) -> None:
    dry = edited.good("prune", "tows", "--keep", "1", "--dry-run", "--json").json
    assert (dry["dry_run"], dry["snapshots"], dry["records"], len(dry["moves"])) == (True, 2, 2, 4)
    assert edited.good("prune", "tows", "--keep", "1", "--dry-run").out.count("-> archive/tows/") == 4
    assert not list(edited.store.list("archive/"))
    result = edited.good("prune", "tows", "--keep", "1")
    assert "moved 2 snapshots and 2 audit records" in result.out
    assert "the newest 1 of 3 commits stay" in result.out
    assert {entry.key for entry in edited.store.list("archive/")} == {move["to"] for move in dry["moves"]}
    assert edited.good("verify", "tows").code == 0
    assert len(edited.good("log", "tows", "--json").json) == 3
    assert edited.good("show", "tows", "--at", "1", "--json").json
    assert edited.good("diff", "tows", "1", "2", "--json").json["updated"]


def test_nothing_to_do_is_said(edited: Towline) -> None:
    assert "nothing to move" in edited.good("prune", "tows", "--keep", "15").out
    assert edited.good("prune", "tows", "--keep", "15", "--json").json["moves"] == []


@pytest.mark.parametrize("keep", ["0", "-3", "many"])
def test_a_keep_that_keeps_nothing_is_2(edited: Towline, keep: str) -> None:
    result = edited("prune", "tows", "--keep", keep)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert edited("prune", "tows").code == 2, "there is no default"
    assert not list(edited.store.list("archive/"))


def test_what_the_contract_wishes_is_a_hint(bucket: Towline) -> None:
    block = {**CONTRACT["towline"], "retention": {"snapshots": 30}}
    contract = bucket.file("contract.json", json.dumps({**CONTRACT, "towline": block}))
    bucket.good("create", "tows", bucket.file("tows.csv"), "--contract", contract, "--note", "first load")
    assert "the contract's retention is 30 snapshots, and 3 are kept" in bucket.good("prune", "tows", "--keep", "3").err
    assert bucket.good("prune", "tows", "--keep", "30").err == ""


def test_who_may_not_delete_is_told_so(edited: Towline) -> None:
    def fault(operation: str, key: str, phase: str) -> None:
        if (operation, phase) == ("delete", "before"):
            raise Refused("AccessDenied")

    edited.store.faults = fault
    result = edited("prune", "tows", "--keep", "1")
    assert result.code == 14
    assert "BreakGlassPrincipal" in result.err
    edited.store.faults = None
    assert edited.good("verify", "tows").code == 0
