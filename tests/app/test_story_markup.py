"""The story of a cell as HTML: every text of the data is escaped, and a long story says how much of it is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app import story_markup
from tests.core.nets import CONTRACT
from towline.story import Touch

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOUCH = Touch((1, 0), "vessel", "a<b", "c&d", "update", "01X", 7, "p", NOW - timedelta(minutes=5), "ana", "x<y", "edit")


def test_a_touch_tells_who_when_why_old_and_new() -> None:
    html = story_markup.story([TOUCH], CONTRACT, 7, NOW)
    assert all(
        text in html for text in ("a&lt;b", "c&amp;d", "“x&lt;y”", "ana", "5 minutes ago", "2026-03-01 11:55:00")
    )
    assert "history?dataset=nets&amp;commit=7&amp;key=1%2C0" in html
    assert "after what you see" not in html
    assert "after what you see" in story_markup.story([TOUCH], CONTRACT, 6, NOW)


def test_what_came_or_went_with_its_row_says_so() -> None:
    for change, words in (
        ("create", "in the first table"),
        ("insert", "with its row"),
        ("delete", "its row was deleted"),
    ):
        html = story_markup.story([replace(TOUCH, change=change)], CONTRACT, 7, NOW)
        assert words in html
        assert ("c&amp;d" in html) is (change != "delete")
        assert ("a&lt;b" in html) is (change == "delete")


def test_a_long_story_is_cut_and_says_so() -> None:
    html = story_markup.story([TOUCH] * 300, CONTRACT, 7, NOW)
    assert html.count("tl-touch") == story_markup.LISTED
    assert "… and 100 before" in html
    assert "changed 299 times since" in html
    assert "never changed since" in story_markup.story([TOUCH], CONTRACT, 7, NOW)
