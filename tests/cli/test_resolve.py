"""resolve: what is in conflict, side by side, and the ways to decide it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import CSV, Towline
from towline import connect
from towline.connect import Connection

THEIRS = CSV.replace("1467.2", "1500.5").replace("1786.2", "1700.5")
OURS = CSV.replace("1467.2", "1600").replace("1786.2", "1800").replace("Méridian, II", "Aurora")
INSERTS = ["3,0,Mine,1.5,,,\n", "3,0,Theirs,2.5,7,,\n"]


def conflicted(towline: Towline, ours: str, theirs: str, *mode: str) -> str:
    """The id of a proposal that was made on the first commit, after another one of that commit."""
    base = towline.good("log", "tows", "--json").json[-1]["commit"]
    towline.good("propose", "tows", towline.file("theirs.csv", theirs), "--note", "their reading", "--wait")
    mine = towline.file("ours.csv", ours)
    result = towline("propose", "tows", mine, "--note", "my reading", "--base", base, "--wait", "--json", *mode)
    assert result.code == 11, result
    return str(result.json["proposal"])


@pytest.fixture
def proposal(towline: Towline) -> str:
    """In conflict in the volume of two rows; the vessel of a third goes along."""
    return conflicted(towline, OURS, THEIRS)


def volumes(towline: Towline) -> tuple[Any, Any]:
    rows = towline.rows()
    return rows[1, 0]["volume"], rows[1, 1]["volume"]


def unchanged(towline: Towline) -> None:
    """Nothing was sent."""
    assert len(towline.good("log", "tows", "--json").json) == 2
    assert not towline.pipeline.arrivals()


def test_a_refusal_names_the_way_out(towline: Towline, proposal: str) -> None:
    shown = towline("status", proposal)
    assert f"towline resolve {proposal}" in shown.err


def test_without_a_decision_it_lists_what_is_open_and_changes_nothing(towline: Towline, proposal: str) -> None:
    result = towline("resolve", proposal)
    assert result.code == 11
    assert all(value in result.out for value in ("tow=1, net=1", "volume", "1467.2", "1500.5", "1600.0"))
    assert "2 rows to decide on top of commit 2" in result.out
    unchanged(towline)


def test_taking_a_side_decides_everything_and_the_rest_goes_along(towline: Towline, proposal: str) -> None:
    result = towline.good("resolve", proposal, "--take", "ours", "--wait", "--json")
    receipt = result.json
    assert (receipt["status"], receipt["resolves"], receipt["note"]) == ("committed", proposal, "my reading")
    assert volumes(towline) == (1800.0, 1600.0)
    assert towline.rows()[2, 0]["vessel"] == "Aurora"
    assert towline("status", proposal, "--json").json["status"] == "conflicted"
    assert f"it resolves proposal {proposal}" in towline("status", receipt["proposal"]).out


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (["--take", "theirs"], (1700.5, 1500.5)),
        (["--take", "base"], (1786.2, 1467.2)),
        (["--take", "ours", "--column", "volume"], (1800.0, 1600.0)),
        (["--set", "volume=99"], (99.0, 99.0)),
    ],
)
def test_by_side_by_column_or_with_a_third_value(
    towline: Towline, proposal: str, decision: list[str], expected: tuple[float, float]
) -> None:
    towline.good("resolve", proposal, *decision, "--note", "settled", "--wait")
    assert volumes(towline) == expected
    assert towline.good("log", "tows", "--json").json[0]["note"] == "settled"


def test_what_is_not_decided_stays_open_with_11_and_nothing_is_sent(towline: Towline, proposal: str) -> None:
    result = towline("resolve", proposal, "--take", "ours", "--where", "tow=1,net=0", "--wait", "--json")
    assert result.code == 11
    assert result.json["error"] == "conflict"
    assert [answer["key"] for answer in result.json["open"]["answers"]] == [{"tow": 1, "net": 1}]
    shown = towline("resolve", proposal, "--take", "ours", "--where", "tow=1,net=0")
    assert "1 row is still in conflict" in shown.err
    unchanged(towline)


def test_the_json_list_is_edited_and_given_back(towline: Towline, proposal: str) -> None:
    listed = towline("resolve", proposal, "--json")
    assert listed.code == 11
    raw = listed.json
    assert raw["format"] == "towline.resolution/v1"
    raw["answers"][0]["take"] = "ours"
    raw["answers"][1]["value"] = 1550.0
    file = towline.file("answers.json", json.dumps(raw))
    towline.good("resolve", proposal, "--file", file, "--wait")
    assert volumes(towline) == (1800.0, 1550.0)


def test_a_file_and_options_go_together_and_the_file_is_more_specific(towline: Towline, proposal: str) -> None:
    raw = towline("resolve", proposal, "--json").json
    raw["answers"][0]["value"] = 1.5
    file = towline.file("answers.json", json.dumps(raw))
    towline.good("resolve", proposal, "--file", file, "--take", "theirs", "--wait")
    assert volumes(towline) == (1.5, 1500.5)


def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(towline: Towline, proposal: str) -> None:
    result = towline.good("resolve", proposal, "--take", "ours", "--dry-run", "--json").json
    assert (result["status"], result["resolves"], result["counts"]["cells_changed"]) == ("committed", proposal, 3)
    shown = towline.good("resolve", proposal, "--take", "ours", "--dry-run")
    assert "would be committed; rows: 0 inserted, 3 updated" in shown.out
    unchanged(towline)


def test_where_nothing_remains_it_says_so_and_sends_nothing(towline: Towline) -> None:
    proposal = conflicted(towline, OURS.replace("Aurora", "Méridian, II"), THEIRS)
    result = towline.good("resolve", proposal, "--take", "theirs", "--wait")
    assert "nothing is left to change: commit 2 holds all of it" in result.out
    assert towline.good("resolve", proposal, "--take", "theirs", "--json").json["status"] == "unchanged"
    unchanged(towline)


def test_two_rows_of_one_key_are_shown_side_by_side_and_both_kept(towline: Towline) -> None:
    proposal = conflicted(towline, CSV + INSERTS[0], CSV + INSERTS[1])
    listed = towline("resolve", proposal)
    assert all(value in listed.out for value in ("tow=3, net=0", "Mine", "Theirs", "1.5", "2.5", "7"))
    where = ["--where", "tow=3,net=0"]
    towline.good("resolve", proposal, *where, "--insert-as", "net=9", "--set", "count=4", "--wait")
    assert (towline.rows()[3, 0]["vessel"], towline.rows()[3, 9]["vessel"]) == ("Theirs", "Mine")
    assert towline.rows()[3, 9]["count"] == 4


def test_a_key_that_is_taken_is_refused(towline: Towline) -> None:
    proposal = conflicted(towline, CSV + INSERTS[0], CSV + INSERTS[1])
    result = towline("resolve", proposal, "--where", "tow=3,net=0", "--insert-as", "tow=1", "--wait", "--json")
    assert result.code == 10
    assert [violation["rule"] for violation in result.json["violations"]] == ["row.exists"]
    unchanged(towline)


def test_a_deleted_row_is_decided_as_a_whole(towline: Towline) -> None:
    without = CSV.replace("1,1,Meridian,1467.2,,FALSE,2026-01-04 19:04:25\n", "")
    proposal = conflicted(towline, CSV.replace("1467.2", "1600"), without)
    listed = towline("resolve", proposal)
    assert all(word in listed.out for word in ("(whole row)", "deleted", "1600.0"))
    towline.good("resolve", proposal, "--take", "ours", "--wait")
    assert towline.rows()[1, 1]["volume"] == 1600.0


def test_a_commit_after_a_proposal_that_nothing_may_follow_is_named(towline: Towline) -> None:
    proposal = conflicted(towline, CSV.replace("Méridian, II", "Aurora"), THEIRS, "--mode", "table")
    assert "(whole table)" in towline("resolve", proposal).out
    towline.good("resolve", proposal, "--take", "ours", "--wait")
    assert (towline.rows()[2, 0]["vessel"], volumes(towline)) == ("Aurora", (1700.5, 1500.5))


WRONG = [
    (["--take", "ours", "--column", "vessel"], 2, "column vessel is not in conflict; in conflict is tow=1, net=0"),
    (["--take", "ours", "--column", "depth"], 2, "no column 'depth'"),
    (["--take", "ours", "--where", "tow=9"], 2, "row tow=9 is not in conflict"),
    (["--set", "volume=12,5"], 2, "COLUMN=VALUE"),
    (["--set", "volume=wide"], 10, "column volume"),
    (["--set", "volume=-5"], 10, "nothing was sent"),
    (["--column", "volume"], 2, "say what to do there"),
    (["--insert-as", "net=9"], 2, "can be inserted under another key only where both inserted a row"),
    (["--take", "mine"], 2, "mine"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), WRONG)
def test_wrong_answers_are_refused_and_change_nothing(
    towline: Towline, proposal: str, arguments: list[str], code: int, said: str
) -> None:
    result = towline("resolve", proposal, *arguments, "--wait")
    assert result.code == code
    assert said in result.err
    unchanged(towline)


def test_a_file_of_another_proposal_is_refused(towline: Towline, proposal: str) -> None:
    raw = towline("resolve", proposal, "--json").json
    file = towline.file("answers.json", json.dumps({**raw, "proposal": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}))
    result = towline("resolve", proposal, "--file", file)
    assert result.code == 2
    assert "answers proposal '01ARZ3NDEKTSV4RRFFQ69G5FAV'" in result.err
    unchanged(towline)


def test_what_is_not_in_conflict_is_not_resolved(towline: Towline) -> None:
    assert towline("resolve", "01ARZ3NDEKTSV4RRFFQ69G5FAV").code == 13
    edit = ["edit", "tows", "--where", "tow=1,net=1", "--note", "why", "--json"]
    done = towline.good(*edit, "--set", "volume=1", "--wait").json["proposal"]
    refused = towline(*edit, "--set", "volume=-1", "--wait").json["proposal"]
    towline.deliver = False
    waiting = towline.good(*edit, "--set", "volume=2").json["proposal"]
    for proposal, status in ((done, "committed"), (refused, "rejected"), (waiting, "received")):
        result = towline("resolve", proposal, "--take", "ours")
        assert result.code == 2
        assert f"is {status}, not in conflict" in result.err


def test_somebody_elses_proposal_is_resolved_in_ones_own_name(
    towline: Towline, proposal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = connect.here()
    monkeypatch.setenv("LOGNAME", "ben")
    monkeypatch.setattr(connect, "here", lambda data_dir=None: Connection(known.settings, known.bench))
    receipt = towline.good("resolve", proposal, "--take", "ours", "--wait", "--json").json
    assert (receipt["status"], receipt["user"], receipt["resolves"]) == ("committed", "ben", proposal)


def test_two_partial_inserts_of_one_key_are_filled(towline: Towline) -> None:
    base = towline.good("log", "tows", "--json").json[0]["commit"]
    first = towline.file("first.csv", CSV + "3,0,,2.5,,,\n")
    towline.good("propose", "tows", first, "--note", "the volume", "--wait")
    second = towline.file("second.csv", CSV + "3,0,Aurora,,7,,\n")
    mine = ["propose", "tows", second, "--base", base, "--note", "the rest", "--wait"]
    assert towline(*mine).code == 11
    towline.good(*mine, "--mode", "fill")
    row = towline.rows()[3, 0]
    assert (row["vessel"], row["volume"], row["count"]) == ("Aurora", 2.5, 7)


@pytest.mark.parametrize(("mode", "code"), [("cell", 0), ("row", 11), ("table", 11), ("fill", 0)])
def test_every_merge_mode_is_as_strict_as_it_says(towline: Towline, mode: str, code: int) -> None:
    """Two people change different cells of one row."""
    base = towline.good("log", "tows", "--json").json[0]["commit"]
    first = towline.file("first.csv", CSV.replace("1467.2", "1500.5"))
    towline.good("propose", "tows", first, "--note", "the volume", "--wait")
    second = towline.file("second.csv", CSV.replace("1467.2,,FALSE", "1467.2,3,FALSE"))
    mine = ["propose", "tows", second, "--base", base, "--note", "the count", "--wait", "--mode", mode]
    assert towline(*mine).code == code
