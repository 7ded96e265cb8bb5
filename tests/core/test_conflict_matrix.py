"""docs/conflict-matrix.md is true: every cell of it, through the real commit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.core.nets import CONTRACT, Nets
from towline.change import RowChange
from towline.dataset import Draft
from towline.merge import MODES

PAGE = Path(__file__).parents[2] / "docs" / "conflict-matrix.md"
ROW, NEW = (1, 1), (3, 0)


def _insert(nets: Nets, mode: str | None, **cells: object) -> Draft:
    row = {**dict.fromkeys(CONTRACT.names), "tow": NEW[0], "net": NEW[1], **cells}
    return nets.dataset.rows([RowChange(None, row)], "why", nets.commit, mode)


def _delete(nets: Nets, mode: str | None) -> Draft:
    return nets.dataset.rows([RowChange(nets.row(*ROW), None)], "why", nets.commit, mode)


Made = Callable[[Nets, str | None], Draft]
MINE: Mapping[str, Made] = {
    "update a cell": lambda nets, mode: nets.edit(*ROW, mode=mode, volume=12.5),
    "delete the row": _delete,
    "insert a row": lambda nets, mode: _insert(nets, mode, volume=5.0, vessel="Aurora"),
    "insert a row, and each filled other cells": lambda nets, mode: _insert(nets, mode, volume=5.0),
}
THEIRS: Mapping[str, Made] = {
    "another row": lambda nets, mode: nets.edit(2, 1, volume=1.5),
    "the row: another cell": lambda nets, mode: nets.edit(*ROW, vessel="Aurora"),
    "the cell: the same value": lambda nets, mode: nets.edit(*ROW, volume=12.5),
    "the cell: another value": lambda nets, mode: nets.edit(*ROW, volume=13.5),
    "deleted the row": _delete,
    "inserted the same row": lambda nets, mode: _insert(nets, mode, volume=5.0, vessel="Aurora"),
    "inserted the key with other values": lambda nets, mode: _insert(nets, mode, vessel="Meridian"),
}
OUTCOMES = {"commits": "committed", "joined": "committed", "conflict": "conflicted"}


def cells() -> Iterator[tuple[str, str, str, str]]:
    """Mode, mine, theirs and the outcome, as the page says."""
    mode = ""
    for line in PAGE.read_text().splitlines():
        if found := re.match(r"## Mode `(\w+)`", line):
            mode = found[1]
        elif line.startswith("## "):
            mode = ""
        parts = [part.strip() for part in line.strip("|").split("|")]
        if mode and parts[0] in MINE:
            yield from ((mode, parts[0], theirs, said) for theirs, said in zip(THEIRS, parts[1:], strict=True))


def test_the_page_has_a_table_for_each_mode_with_every_kind_of_change() -> None:
    ordinary = list(MINE)[:3]
    for mode in MODES:
        found = [mine for each, mine, _, _ in cells() if each == mode]
        assert list(dict.fromkeys(found))[:3] == ordinary


def test_the_columns_are_in_the_order_that_is_tested() -> None:
    headers = [line for line in PAGE.read_text().splitlines() if line.startswith("| mine")]
    assert len(headers) == len(MODES)
    for header in headers:
        assert [part.strip() for part in header.strip("|").split("|")][1:] == list(THEIRS)


@pytest.mark.parametrize(("mode", "mine", "theirs", "said"), [cell for cell in cells() if cell[3] in OUTCOMES])
def test_the_outcome_is_what_the_page_says(mode: str, mine: str, theirs: str, said: str) -> None:
    nets = Nets()
    draft, rival = MINE[mine](nets, mode), THEIRS[theirs](nets, None)
    assert nets.by("ben").send(rival)[0].status == "committed"
    before = nets.head()
    (receipt,) = nets.send(draft)
    assert receipt.status == OUTCOMES[said]
    after = nets.head()
    if said == "conflict":
        assert after == before
    elif said == "joined":
        assert {name: nets.row(*NEW)[name] for name in ("volume", "vessel")} == {"volume": 5.0, "vessel": "Meridian"}
    elif theirs == "another row":
        assert nets.row(2, 1)["volume"] == 1.5
