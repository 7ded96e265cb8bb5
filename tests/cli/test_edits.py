"""edit, insert, delete, propose, create, status: what they do, and the exit code they end with."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from tests.cli.conftest import CSV, Towline
from towline import connect
from towline.dataset import Ticket

CORRECTED = CSV.replace("1467.2", "1500.5")


def test_an_edit_that_waits_is_committed_and_changes_that_cell_alone(towline: Towline) -> None:
    before = towline.rows()
    result = towline.good("edit", "tows", "--where", "tow=1,net=1", "--set", "volume=12.5", "--note", "why", "--wait")
    assert "committed tows #2" in result.out
    before[1, 1]["volume"] = 12.5
    assert towline.rows() == before


def test_an_edit_that_does_not_wait_prints_its_id_and_how_to_follow_it(towline: Towline) -> None:
    towline.deliver = False
    first = towline.good("edit", "tows", "--where", "tow=1,net=1", "--set", "volume=12.5", "--note", "why", "--json")
    proposal = first.json["proposal"]
    assert first.json["status"] == "received"
    assert towline.good("status", proposal, "--json").json["status"] == "received"
    assert f"towline status {proposal}" in towline.good("status", proposal).out
    towline.pipeline.pump()
    assert towline.good("status", proposal, "--json").json["status"] == "committed"
    assert towline.rows()[1, 1]["volume"] == 12.5


def test_waiting_longer_than_the_timeout_is_an_unknown_outcome_that_names_the_proposal(towline: Towline) -> None:
    towline.deliver = False
    arguments = ["--set", "volume=1", "--note", "why", "--wait", "--timeout", "0.05", "--json"]
    result = towline("edit", "tows", "--where", "tow=1,net=1", *arguments)
    assert result.code == 12
    assert result.json["error"] == "outcome_unknown"
    assert f"towline status {result.json['proposal']}" in result.err
    late = towline("status", result.json["proposal"], "--wait", "--timeout", "0.05")
    assert late.code == 12


def test_interrupting_the_wait_leaves_the_proposal_and_its_id(
    towline: Towline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(ticket: Ticket, *arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Ticket, "wait", interrupt)
    result = towline("edit", "tows", "--where", "tow=1,net=1", "--set", "volume=1", "--note", "why", "--wait")
    assert result.code == 130
    (proposal,) = re.findall(r"towline status (\w+)", result.err)
    assert towline.good("status", proposal, "--json").json["status"] == "committed"


@pytest.mark.parametrize(
    ("assignment", "column", "expected"),
    [
        ("volume=null", "volume", None),
        ('vessel=""', "vessel", ""),
        ('vessel="null"', "vessel", "null"),
        ('vessel="a, ""b"" = c"', "vessel", 'a, "b" = c'),
        ("vessel==1+1", "vessel", "=1+1"),
        ("vessel=  Sally Ride ", "vessel", "Sally Ride"),
        ("volume=1e3", "volume", 1000.0),
        ("count=12.0", "count", 12),
        ("is_day=TRUE", "is_day", True),
    ],
)
def test_values_are_read_by_the_type_of_their_column(
    towline: Towline, assignment: str, column: str, expected: object
) -> None:
    towline.good("edit", "tows", "--where", "tow=1,net=1", "--set", assignment, "--note", "why", "--wait")
    value = towline.rows()[1, 1][column]
    assert (value, type(value)) == (expected, type(expected))


def test_an_edit_of_several_rows_says_how_many(towline: Towline) -> None:
    result = towline.good("edit", "tows", "--where", "tow=1", "--set", "count=12", "--note", "why", "--wait")
    assert "2 rows match, 1 change" in result.err
    assert towline.rows()[1, 1]["count"] == 12


def test_null_selects_the_rows_without_a_value(towline: Towline) -> None:
    towline.good("edit", "tows", "--where", "is_day=null", "--set", "is_day=true", "--note", "why", "--wait")
    assert towline.rows()[2, 0]["is_day"] is True


@pytest.mark.parametrize(
    ("where", "assignment", "code", "said"),
    [
        ("tow=9,net=9", "volume=1", 13, ["tow=9, net=9"]),
        ("tow=1,net=1", "volume=abc", 10, ["volume", "'abc'", "a number", "m^3"]),
        ("tow=1,net=1", "count=1.5", 10, ["count", "'1.5'", "a whole number"]),
        ("tow=one", "volume=1", 10, ["tow", "'one'", "a whole number"]),
        ("tow=1,net=1", "net=2", 10, ["net", "delete", "insert"]),
        ("tow=1,net=1", "volume=1467.2", 10, ["nothing to change", "volume=1467.2"]),
        ("tow=1,net=1", "depth=1", 2, ["'depth'", "volume"]),
        ("tow=1,net=1", "volume=12,5", 2, ["'5'", "decimals with a point"]),
        ("tow=1,net=1", "volume=", 2, ["volume=", "null"]),
        ("tow=1,tow=2", "volume=1", 2, ["tow", "twice"]),
    ],
)
def test_an_edit_that_cannot_be_meant_is_refused_before_it_is_sent(
    towline: Towline, where: str, assignment: str, code: int, said: list[str]
) -> None:
    result = towline("edit", "tows", "--where", where, "--set", assignment, "--note", "why", "--wait")
    assert result.code == code
    assert result.out == ""
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert all(word in result.err for word in said), result.err
    assert len(list(towline.store.list("inbox/"))) == 2  # the creation's two objects, and no edit


def test_a_violation_ends_with_10_and_the_receipt_names_the_cell(towline: Towline) -> None:
    result = towline(
        "edit", "tows", "--where", "tow=1,net=1", "--set", "volume=-1", "--note", "why", "--wait", "--json"
    )
    assert result.code == 10
    assert result.json["status"] == "rejected"
    (violation,) = result.json["violations"]
    assert (violation["key"], violation["column"], violation["value"]) == ({"tow": 1, "net": 1}, "volume", -1.0)
    shown = towline("status", result.json["proposal"])
    assert shown.code == 10
    assert "tow=1, net=1" in shown.out
    assert result.json["quarantine"] in shown.err


def test_a_conflict_ends_with_11_and_shows_the_three_values(towline: Towline) -> None:
    base = towline.good("log", "tows", "--json").json[0]["commit"]
    towline.good("propose", "tows", towline.file("a.csv", CORRECTED), "--note", "first", "--wait")
    other = towline.file("b.csv", CSV.replace("1467.2", "1600"))
    result = towline("propose", "tows", other, "--note", "second", "--base", base, "--wait", "--json")
    assert result.code == 11
    (conflict,) = result.json["conflicts"]
    assert conflict["key"] == {"tow": 1, "net": 1}
    (cell,) = conflict["cells"]
    sides = {name: cell[name] for name in ("column", "base", "ours", "theirs")}
    assert sides == {"column": "volume", "base": 1467.2, "ours": 1600.0, "theirs": 1500.5}
    shown = towline("status", result.json["proposal"])
    assert shown.code == 11
    assert all(value in shown.out for value in ("1467.2", "1500.5", "1600.0", "volume"))


def test_edits_of_different_cells_from_one_base_both_commit(towline: Towline) -> None:
    base = towline.good("log", "tows", "--json").json[0]["commit"]
    towline.good("propose", "tows", towline.file("a.csv", CORRECTED), "--note", "first", "--wait")
    other = towline.file("b.csv", CSV.replace("1786.2", "1600"))
    towline.good("propose", "tows", other, "--note", "second", "--base", "1", "--wait")
    assert (towline.rows()[1, 1]["volume"], towline.rows()[1, 0]["volume"]) == (1500.5, 1600.0)
    assert base != towline.good("log", "tows", "--json").json[0]["commit"]


def test_a_dry_run_shows_the_cells_and_writes_nothing(towline: Towline) -> None:
    before = towline.store.requests["put"]
    arguments = ["edit", "tows", "--where", "tow=1,net=1", "--set", "volume=12.5", "--note", "why", "--dry-run"]
    shown = towline.good(*arguments)
    assert all(word in shown.out for word in ("would be committed", "1467.2", "12.5", "1 updated"))
    answer = towline.good(*arguments, "--json").json
    assert answer["dry_run"] is True
    assert answer["counts"]["cells_changed"] == 1
    cells = [{"column": "volume", "old": 1467.2, "new": 12.5}]
    assert answer["diff"]["updated"] == [{"key": {"tow": 1, "net": 1}, "cells": cells}]
    assert towline.store.requests["put"] == before


def test_a_dry_run_exits_with_the_code_that_it_would_have(towline: Towline) -> None:
    arguments = ["edit", "tows", "--where", "tow=1,net=1", "--set", "volume=-1", "--note", "why", "--dry-run"]
    result = towline(*arguments)
    assert result.code == 10
    assert "would be rejected" in result.out
    assert towline(*arguments, "--json").json["violations"][0]["column"] == "volume"
    towline.good("propose", "tows", towline.file("a.csv", CORRECTED), "--note", "first", "--wait")
    other = towline.file("b.csv", CSV.replace("1467.2", "1600"))
    assert towline("propose", "tows", other, "--note", "second", "--base", "1", "--dry-run").code == 11


def test_a_row_is_inserted_with_nulls_where_nothing_was_said(towline: Towline) -> None:
    towline.good("insert", "tows", "--set", 'tow=3,net=0,vessel="a, b"', "--note", "forgotten", "--wait")
    nulls = dict.fromkeys(("volume", "count", "is_day", "at"))
    assert towline.rows()[3, 0] == {"tow": 3, "net": 0, "vessel": "a, b", **nulls}


def test_a_row_is_inserted_from_json(towline: Towline) -> None:
    row = json.dumps({"tow": 3, "net": 0, "is_day": False, "volume": 2})
    towline.good("insert", "tows", "--json-row", row, "--note", "forgotten", "--wait")
    found = towline.rows()[3, 0]
    assert (found["is_day"], found["volume"], found["vessel"]) == (False, 2.0, None)


@pytest.mark.parametrize(
    ("row", "code"),
    [("{", 2), ("[1]", 2), ('{"tow": 1, "tow": 2}', 2), ('{"tow": "4", "net": 1}', 10), ('{"tow": 4, "depth": 1}', 10)],
)
def test_a_json_row_that_does_not_fit_is_refused(towline: Towline, row: str, code: int) -> None:
    assert towline("insert", "tows", "--json-row", row, "--note", "why").code == code


def test_an_insert_needs_one_whole_key_and_one_way_to_say_it(towline: Towline) -> None:
    lacking = towline("insert", "tows", "--set", "tow=3", "--note", "why")
    assert lacking.code == 10
    assert "net is missing" in lacking.err
    assert towline("insert", "tows", "--note", "why").code == 2
    assert towline("insert", "tows", "--set", "tow=3,net=1", "--json-row", "{}", "--note", "why").code == 2


def test_inserting_a_row_that_is_there_ends_with_10(towline: Towline) -> None:
    result = towline("insert", "tows", "--set", "tow=1,net=1", "--note", "again", "--wait", "--json")
    assert result.code == 10
    assert result.json["violations"][0]["rule"] == "row.exists"


def test_a_row_is_deleted_by_its_key(towline: Towline) -> None:
    towline.good("delete", "tows", "--where", "tow=1,net=1", "--note", "net did not open", "--wait")
    assert set(towline.rows()) == {(1, 0), (2, 0)}


def test_deleting_several_rows_has_to_be_meant(towline: Towline) -> None:
    refused = towline("delete", "tows", "--where", "tow=1", "--note", "why", "--wait")
    assert refused.code == 2
    assert "2 rows match" in refused.err
    assert towline("delete", "tows", "--where", "tow=8", "--note", "why").code == 13
    assert towline("delete", "tows", "--note", "why", "--all-matching").code == 2
    towline.good("delete", "tows", "--where", "tow=1", "--all-matching", "--note", "why", "--wait")
    assert set(towline.rows()) == {(2, 0)}


def test_a_file_is_proposed_on_the_head_and_the_command_says_so(towline: Towline) -> None:
    head = towline.good("log", "tows", "--json").json[0]["commit"]
    result = towline.good("propose", "tows", towline.file("a.csv", CORRECTED), "--note", "corrected", "--wait")
    assert f"base: the head, commit {head}" in result.err
    assert towline.rows()[1, 1]["volume"] == 1500.5


def test_a_partial_file_leaves_the_rows_that_it_lacks(towline: Towline) -> None:
    part = towline.file("part.csv", "".join(CORRECTED.splitlines(keepends=True)[i] for i in (0, 2)))
    assert towline("propose", "tows", part, "--note", "why", "--dry-run").code == 10  # two of three rows would go
    towline.good("propose", "tows", part, "--note", "why", "--partial", "--wait")
    assert len(towline.rows()) == 3
    assert towline.rows()[1, 1]["volume"] == 1500.5


def test_a_file_that_is_no_table_is_kept_and_refused(towline: Towline) -> None:
    image = towline.file("tows.parquet", b"\x89PNG\r\n\x1a\n")
    result = towline("propose", "tows", image, "--note", "why", "--wait", "--json")
    assert result.code == 10
    assert "PNG" in result.json["violations"][0]["message"]
    assert towline("propose", "tows", image, "--note", "why", "--dry-run").code == 10


def test_a_table_file_has_to_be_there_and_to_end_like_one(towline: Towline) -> None:
    assert towline("propose", "tows", "nowhere.csv", "--note", "why").code == 2
    assert towline("propose", "tows", towline.file("tows.txt"), "--note", "why").code == 2


def test_a_file_too_large_for_the_inbox_is_refused_before_it_is_read(towline: Towline) -> None:
    large = towline.directory / "large.csv"
    with large.open("wb") as file:
        file.truncate(100 * 2**20 + 1)
    result = towline("propose", "tows", str(large), "--note", "why")
    assert result.code == 10
    assert "104,857,601 bytes" in result.err


def test_a_note_is_required_and_must_say_something(towline: Towline) -> None:
    edit = ["edit", "tows", "--where", "tow=1,net=1", "--set", "volume=1"]
    assert towline(*edit).code == 2
    assert towline(*edit, "--note", " ").code == 10


def test_a_proposal_that_nobody_sent_is_not_found(towline: Towline) -> None:
    assert towline("status", "01ARZ3NDEKTSV4RRFFQ69G5FAV").code == 13
    assert towline("status", "no/such/thing", "--dataset", "tows").code == 13
    assert towline("status", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "--dataset", "Not A Name").code == 2


def test_the_dataset_that_s3_master_key_names_need_not_be_said(
    towline: Towline, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect.here()
    settings = replace(connection.settings, master_key="data/tows/master.parquet")
    monkeypatch.setattr(connect, "here", lambda data_dir=None: replace(connection, settings=settings))
    towline.good("edit", "--where", "tow=1,net=1", "--set", "volume=12.5", "--note", "why", "--wait")
    assert len(towline.good("log", "--json").json) == 2


def test_without_a_dataset_the_command_says_what_is_missing(towline: Towline) -> None:
    assert towline("show").code == 2
    assert "towline datasets" in towline("show").err
