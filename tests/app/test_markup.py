"""HTML of values and changes: nothing of the data is ever read as markup, and nothing is said by colour alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import markup
from app.editing.pending import review
from tests.app.sheets import CONTRACT, edits, sheet
from towline.change import RowChange
from towline.conflict import CellConflict, Conflict

TAGS = re.compile(r"<[^>]*>")


def said(html: str) -> str:
    """The text of some HTML."""
    return TAGS.sub("", html)


@given(st.text(min_size=1))
def test_no_value_becomes_markup(text: str) -> None:
    assert "<" not in said(markup.value(text))
    assert "<" not in said(markup.message("stop", text))
    line = review(sheet(), edits(r10={"vessel": text, "volume": text})).lines
    for cell in line[0].cells if line else ():
        assert "<" not in said(markup.cell_change(cell, CONTRACT))


def test_null_the_empty_text_and_the_word_null_look_different() -> None:
    shown = [markup.value(value) for value in (None, "", "null", " ", 0.0, False)]
    assert len(set(shown)) == len(shown)
    assert [said(html) for html in shown] == ["null", "&quot;&quot;", "“null”", "“ ”", "0", "False"]


def test_a_long_value_is_cut_and_says_so() -> None:
    assert said(markup.value("x" * 10_000)).endswith("… (10,000 characters)")


def test_a_text_that_does_not_fit_is_shown_as_typed_with_a_sign() -> None:
    (line,) = review(sheet(), edits(r10={"volume": "12,5"})).lines
    assert said(markup.cell_change(line.cells[0], CONTRACT)) == "10.5 → ✕ 12,5"


def test_a_change_is_old_and_new_with_its_unit() -> None:
    (line,) = review(sheet(), edits(r10={"volume": "12.5"})).lines
    assert said(markup.cell_change(line.cells[0], CONTRACT)) == "10.5 → 12.5 m³"


def test_violations_have_a_sign_a_place_and_the_true_total() -> None:
    report = review(sheet(), edits(r10={"volume": "12,5"})).report
    html = markup.violations([v.to_json() for v in report.violations], 40, 2)
    assert "✕tow 1, net 0 · volume" in said(html)
    assert "… and 41 more" in html


def test_conflicts_show_all_three_sides() -> None:
    conflict = Conflict("update/update", {"tow": 1, "net": 0}, (CellConflict("volume", None, 3.0, 7.5),))
    cells = re.findall("<td>(.*?)</td>", markup.conflicts([conflict.to_json()], CONTRACT))
    assert [said(cell) for cell in cells] == ["tow 1, net 0volume", "null", "7.5", "3"]
    deleted = Conflict("update/delete", {"tow": 1, "net": 0})
    assert "this proposal says update" in markup.conflicts([deleted.to_json()], CONTRACT)


def test_a_row_of_a_commit_is_told_whole() -> None:
    old, new = {**sheet().rows[1, 0]}, {**sheet().rows[1, 0], "vessel": None}
    assert said(markup.row_change(RowChange(old, new), CONTRACT)) == "✎tow 1, net 0vessel Meridian → null"
    assert said(markup.row_change(RowChange(old, None), CONTRACT)).endswith("is deleted")
    assert "volume 10.5 m³" in said(markup.row_change(RowChange(None, old), CONTRACT))


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=2, minutes=59), "2 hours ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=45), "on 2026-01-15"),
    ],
)
def test_ages_are_told_in_words(before: timedelta, text: str) -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert markup.age(now - before, now) == text
