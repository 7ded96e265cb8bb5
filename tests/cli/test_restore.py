"""`towline restore` on a bucket in memory."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Towline


@pytest.fixture
def edited(towline: Towline) -> Towline:
    """Commit 2 set a volume, commit 3 a vessel, commit 4 deleted a row."""
    for arguments in (
        ("edit", "tows", "--where", "tow=1,net=1", "--set", "volume=12.5"),
        ("edit", "tows", "--where", "tow=1,net=0", "--set", "vessel=Aurora"),
        ("delete", "tows", "--where", "tow=2,net=0"),
    ):
        towline.good(*arguments, "--note", "why", "--wait")
    return towline


def test_a_dry_run_shows_what_would_change_and_changes_nothing(edited: Towline) -> None:
    before = edited.rows()
    shown = edited.good("restore", "tows", "2", "--note", "back", "--dry-run")
    assert "dry run: would be committed; rows: 1 inserted, 1 updated, 0 deleted" in shown.out
    assert "Aurora" in shown.out
    told = edited.good("restore", "tows", "2", "--note", "back", "--dry-run", "--json").json
    assert (told["status"], told["counts"]["rows_inserted"]) == ("committed", 1)
    assert told["diff"]["updated"][0]["cells"] == [{"column": "vessel", "old": "Aurora", "new": "Meridian"}]
    assert edited.rows() == before


def test_a_commit_comes_back_whole(edited: Towline) -> None:
    then = edited.good("show", "tows", "--at", "2", "--json").json
    receipt = edited.good("restore", "tows", "2", "--note", "back", "--wait", "--json").json
    assert (receipt["status"], receipt["number"], receipt["kind"]) == ("committed", 5, "restore")
    assert list(edited.rows().values()) == then
    newest = edited.good("log", "tows", "--json").json[0]
    assert (newest["kind"], newest["note"]) == ("restore", "back")


def test_chosen_rows_and_columns_come_back_alone(edited: Towline) -> None:
    before = edited.rows()
    arguments = ["--where", "tow=1", "--column", "volume", "--column", "count", "--note", "back", "--wait"]
    edited.good("restore", "tows", "1", *arguments)
    assert edited.rows() == before | {(1, 1): {**before[1, 1], "volume": 1467.2}}


def test_undo_takes_back_one_commit_and_leaves_later_ones(edited: Towline) -> None:
    before = edited.rows()
    edited.good("restore", "tows", "--undo", "2", "--note", "not that one", "--wait")
    assert edited.rows() == before | {(1, 1): {**before[1, 1], "volume": 1467.2}}


def test_undo_conflicts_where_the_same_cell_was_changed_again(edited: Towline) -> None:
    edited.good("edit", "tows", "--where", "tow=1,net=1", "--set", "volume=13", "--note", "why", "--wait")
    result = edited("restore", "tows", "2", "--undo", "--note", "not that one", "--wait", "--json")
    assert (result.code, result.json["status"]) == (11, "conflicted")
    assert edited.rows()[1, 1]["volume"] == 13


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (["99"], 13, "not_found"),
        (["0" * 26], 13, "not_found"),
        (["yesterday"], 2, "usage"),
        (["head"], 10, "bad_proposal"),
        (["1", "--where", "tow=77"], 13, "not_found"),
        (["1", "--where", "depth=1"], 2, "usage"),
        (["1", "--where", "tow=four"], 10, "bad_proposal"),
        (["1", "--column", "depth"], 10, "bad_proposal"),
        (["1", "--column", "tow"], 10, "bad_proposal"),
        (["1", "--undo"], 13, "not_found"),
    ],
)
def test_wrong_wishes_end_with_their_code_and_send_nothing(
    edited: Towline, arguments: list[str], code: int, kind: str
) -> None:
    result = edited("restore", "tows", *arguments, "--note", "why", "--json")
    assert (result.code, result.json["error"]) == (code, kind)
    assert len(edited.good("log", "tows", "--json").json) == 4


def test_a_note_is_required(edited: Towline) -> None:
    assert edited("restore", "tows", "1").code == 2
    assert edited("restore", "tows", "1", "--note", " ").code == 10
