"""A preview as a terminal shows it."""

from __future__ import annotations

import json

import pytest

from tests.core.nets import CONTRACT
from towline import keys, preview
from towline import table as tables
from towline.cli.preview import tell
from towline.diff import diff
from towline.preview import Preview
from towline.rows import InMemory
from towline.values import Row
from towline.violation import Report, Violation

ROWS: list[Row] = [
    {"tow": 1, "net": 0, "volume": 10.5, "vessel": "Meridian", "is_day": True},
    {"tow": 1, "net": 1, "volume": 0.0, "vessel": "Meridian", "is_day": False},
    {"tow": 2, "net": 0, "volume": None, "vessel": "Meridian", "is_day": None},
]
QUERY = {"scanned_bytes": 19_004, "cost_usd": 0.00005, "engine_ms": 812, "query_id": "q"}


def made(rows: list[Row], report: Report = Report(), reasons: tuple[str, ...] = ()) -> Preview:  # noqa: B008 - frozen
    base, result = (tables.from_rows(each, CONTRACT.schema) for each in (ROWS, rows))
    whose = {"run": keys.Run("nets", "01RUN"), "statement": "…", "commit": "C7", "number": 7}
    change = diff(base, result, CONTRACT.key)
    sides = (InMemory(each, CONTRACT.key) for each in (base, result))
    raw = preview.build(*sides, change, CONTRACT, report=report, reasons=reasons, query=QUERY, **whose)  # type: ignore[arg-type]
    return preview.from_json(json.dumps(raw))


def told(shown: Preview, capsys: pytest.CaptureFixture[str]) -> str:
    tell(shown, CONTRACT)
    return " ".join(capsys.readouterr().out.split())


def test_it_says_what_would_change_and_how_to_have_it(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(made([{**ROWS[0], "volume": 21.0}, ROWS[1]]), capsys)
    for said in (
        "preview: Updates 1 row and deletes 1 row: 3 rows become 2.",
        "made on nets #7, commit C7",
        "volume 1 33.3% 1 -> 0 0.0 10.5 -> 21.0 5.25 -> 10.5",
        "as they were: is_day",
        "updated tow net column old new",
        "1 0 volume 10.5 -> 21.0",
        "deleted tow net volume vessel is_day",
        "2 0 null Meridian null",
        "scanned 19 kB, 0.00005 USD; 0.8 s",
        "`towline sql nets --promote 01RUN` commits exactly this, once",
        "`towline sql nets --discard 01RUN` drops it",
    ):
        assert said in text


def test_it_says_what_it_would_have_to_wait_for(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(made(ROWS[:2], reasons=("1 row is deleted; more than 0 are reviewed",)), capsys)
    assert "waits for review if promoted: 1 row is deleted; more than 0 are reviewed" in text


def test_what_breaks_the_contract_cannot_be_promoted(capsys: pytest.CaptureFixture[str]) -> None:
    breach = Violation("constraint.minimum", "error", {"tow": 1, "net": 0}, "volume", -1.0, "volume is less than 0")
    text = told(made([{**ROWS[0], "volume": -1.0}, *ROWS[1:]], Report((breach,), 120, 0)), capsys)
    assert "volume is less than 0 constraint.minimum 120 errors, 0 warnings … and 119 more" in text
    assert "it breaks the contract and cannot be promoted" in text
    assert "--promote" not in text


def test_nothing_changes(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(made(ROWS), capsys).startswith("preview: Changes nothing. 0 cells changed")
