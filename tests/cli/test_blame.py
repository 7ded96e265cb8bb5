"""`towline blame`, `log` and the HTML of `diff`: the history as people and programs get it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.cli.conftest import Towline

CELL = ("--where", "tow=1,net=1", "--column", "volume")


@pytest.fixture
def told(towline: Towline) -> Towline:
    """One cell set twice, one row inserted, one deleted."""
    for value, note in (("12.5", "meter <b>read</b> again"), ("13.5", "typo")):
        towline.good("edit", "tows", "--where", "tow=1,net=1", "--set", f"volume={value}", "--note", note, "--wait")
    towline.good("insert", "tows", "--set", 'tow=3,net=0,vessel=""', "--note", "forgotten", "--wait")
    towline.good("delete", "tows", "--where", "tow=2,net=0", "--note", "did not open", "--wait")
    return towline


def test_a_cell_tells_who_set_it_last_and_all_of_its_story(told: Towline) -> None:
    last = told.good("blame", "tows", *CELL).out
    assert all(word in last for word in ("12.5", "13.5", "ana", "typo", "2026-03-01"))
    assert "meter" not in last
    every = told.good("blame", "tows", *CELL, "--all").out
    assert all(word in every for word in ("1467.2", "meter <b>read</b> again", "create", "first load"))
    story = told.good("blame", "tows", *CELL, "--all", "--json").json
    assert [(line["number"], line["old"], line["new"]) for line in story] == [
        (3, 12.5, 13.5),
        (2, 1467.2, 12.5),
        (1, None, 1467.2),
    ]
    names = ["key", "column", "old", "new", "change", "commit", "number", "proposal", "at", "user", "note", "kind"]
    assert list(story[0]) == names
    assert story[0]["key"] == {"tow": 1, "net": 1}


def test_a_row_is_told_column_by_column(told: Towline) -> None:
    lines = told.good("blame", "tows", "--where", "tow=1,net=1", "--json").json
    numbers = {line["column"]: line["number"] for line in lines}
    assert numbers == {"tow": 1, "net": 1, "vessel": 1, "volume": 3, "count": 1, "is_day": 1, "at": 1}
    assert told.good("blame", "tows", "--where", "tow=1,net=1").out.count("first load") == 6


def test_a_column_is_told_row_by_row(told: Towline) -> None:
    lines = told.good("blame", "tows", "--column", "volume", "--json").json
    assert [(line["key"]["tow"], line["key"]["net"], line["number"]) for line in lines] == [
        (1, 0, 1),
        (1, 1, 3),
        (3, 0, 4),
    ]
    every = told.good("blame", "tows", "--column", "volume", "--all").out
    assert every.count("tow") == 1
    assert "all" in every


def test_a_deleted_row_is_told_by_its_key(told: Towline) -> None:
    shown = told.good("blame", "tows", "--where", "tow=2,net=0", "--column", "vessel").out
    assert "Méridian, II" in shown
    assert "did not open" in shown


def test_a_row_may_be_named_by_what_it_alone_has(told: Towline) -> None:
    assert told.good("blame", "tows", "--where", "volume=13.5", "--column", "volume", "--json").json[0]["number"] == 3
    refused = told("blame", "tows", "--where", "vessel=Meridian")
    assert refused.code == 2
    assert "2 rows have vessel=Meridian: name one by its key (tow, net)" in refused.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "say which row (--where tow=…,net=…)"),
        (["--where", "tow=1,net=1", "--column", "depth"], 2, "no column 'depth'"),
        (["--where", "depth=1"], 2, "no column 'depth'"),
        (["--where", "tow=9,net=9"], 13, "never had a row tow=9, net=9"),
        (["--where", "tow=9,net=9", "--all"], 13, "never had a row tow=9, net=9"),
        (["--where", "tow=x,net=9"], 10, "whole number"),
        (["--where", "vessel=Nobody"], 13, "no row of tows has vessel=Nobody"),
    ],
)
def test_wrong_questions_are_answered_clearly(told: Towline, arguments: list[str], code: int, said: str) -> None:
    result = told("blame", "tows", *arguments)
    assert (result.code, result.out) == (code, "")
    assert said in result.err


def test_lines_beyond_the_limit_are_counted(told: Towline) -> None:
    assert "… 2 more (-n 0 lists all)" in told.good("blame", "tows", *CELL, "--all", "-n", "1").out
    assert len(told.good("blame", "tows", *CELL, "--all", "-n", "2", "--json").json) == 2


def test_a_log_reads_only_what_it_lists(told: Towline) -> None:
    told.store.requests.clear()
    shown = told.good("log", "tows", "-n", "2").out
    assert told.store.requests["get"] <= 3, "the contract and two records"
    assert "… 3 older (-n 0 lists all)" in shown
    assert [record["number"] for record in told.good("log", "tows", "-n", "2", "--json").json] == [5, 4]


def test_a_log_of_one_person(told: Towline) -> None:
    told.good("log", "tows", "--user", "ana")
    assert len(told.good("log", "tows", "--user", "ana", "--json").json) == 5
    assert told.good("log", "tows", "--user", "bo", "--json").json == []


class _Page(HTMLParser):
    """What an HTML file asks for from elsewhere, its tags, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.asked += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "onload", "onclick")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_diff_as_html_is_one_file_that_needs_nothing_else(told: Towline, tmp_path: Path) -> None:
    file = tmp_path / "what.html"
    evil = 'tow=4,net=0,vessel="<script>alert(1)</script>"'
    told.good("insert", "tows", "--set", evil, "--note", "why", "--wait")
    told.good("diff", "tows", "2", "-o", str(file))
    text = file.read_text("utf-8")
    page = _Page(text)
    assert page.asked == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not re.search(r"https?:|@import|url\(", text)
    assert "tows: commit 2 → commit 6" in page.text
    assert "meter <b>read</b> again" in page.text, "escaped"
    assert "<script>alert(1)</script>" in page.text, "escaped, too"
    assert all(word in page.text for word in ("ana", "why", "2026-03-01", "volume [m^3]", "12.5", "13.5"))
    assert "Rows: 2 inserted, 1 updated, 1 deleted. Cells changed: 12." in page.text
    assert 'class="null"' in text
    assert told.good("diff", "tows", "2", "--format", "html").out == text


def test_a_diff_as_html_says_what_it_cuts(told: Towline) -> None:
    told.good("edit", "tows", "--where", "vessel=Meridian", "--set", "count=99", "--note", "all", "--wait")
    assert "Updated rows (the first 1 of 2)" in told.good("diff", "tows", "1", "--format", "html", "-n", "1").out
    assert "Updated rows (2)" in told.good("diff", "tows", "1", "--format", "html").out


def test_a_file_of_a_diff_is_named_by_its_form_and_not_overwritten(told: Towline, tmp_path: Path) -> None:
    for name in ("what.csv", "what.json"):
        told.good("diff", "tows", "1", "-o", str(tmp_path / name))
        form = name.partition(".")[2]
        assert (tmp_path / name).read_text("utf-8").strip() == told.good(
            "diff", "tows", "1", "--format", form
        ).out.strip()
        assert told("diff", "tows", "1", "-o", str(tmp_path / name)).code == 2
        told.good("diff", "tows", "1", "-o", str(tmp_path / name), "--force")
    refused = told("diff", "tows", "1", "-o", str(tmp_path / "what.txt"))
    assert refused.code == 2
    assert "let it end in .html" in refused.err
