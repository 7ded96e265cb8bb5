"""What stands around the pictures: which is beside which, and the words above them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from app import markup
from app.editing.paged import PagedSheet
from app.editing.sheet import Sheet
from app.explore import columns
from app.explore.plots import Plot
from app.explore.scene import CHANGES, Scene
from app.past.commits import Commit

_HANDLING = (
    "Click a mark of the map or the ranges to get to its row; drag moves them, Shift and the wheel zoom, "
    "a double click goes back."
)
_HEADS = {
    "map": "Map",
    "range": "Ranges",
    "number": "Distribution",
    "time": "When",
    "category": "Rows by",
    "missing": "Missing values",
}
_SIGNS = dict(zip(CHANGES, ("✚", "◆", "✖"), strict=True))


def about(sheet: Sheet, commit: Commit, now: datetime) -> str:
    who = f"commit {commit.number} by {', '.join(commit.people)}, {markup.age(commit.at, now)}"
    return f"{sheet.dataset} · {who} · {markup.count(sheet.num_rows, 'row')}"


def sampled(sheet: PagedSheet) -> str:
    """What of a large table is drawn."""
    return (
        f"This table is large: the pictures are of {sheet.sample.num_rows:,} of its {sheet.num_rows:,} rows, from all "
        "over it, and rows that differ from another commit are not highlighted. A query on the page SQL counts all."
    )


def legend(found: Scene, commit: Commit, other: Commit | None) -> str:
    """What is highlighted, and by which signs."""
    if other is None:
        why = ": it is the first commit" if commit.parent is None else ""
        return markup.block(f'<span class="tl-quiet">No rows are highlighted{why}. {_HANDLING}</span>')
    counted = [f"{_SIGNS[change]} {found.count(change):,} {change}" for change in CHANGES if found.count(change)]
    listed = " &nbsp; ".join(counted) or "no row differs"
    return markup.block(
        f'<span class="tl-quiet">Rows that differ from commit {other.number}:</span> '
        f'<span class="tl-head">{listed}</span>. <span class="tl-quiet">{_HANDLING}</span>'
    )


def rows(kinds: list[str]) -> Iterator[list[list[str]]]:
    """The cards of a page: rows of columns of kinds. A map is as high as two others."""
    narrow = [[kind] for kind in kinds if kind != "range"]
    if kinds[:1] == ["map"] and len(narrow) > 2:
        narrow = [narrow[0], narrow[1] + narrow[2], *narrow[3:]]
    yield narrow[:2]
    yield from ([[kind]] for kind in kinds if kind == "range")
    yield from (narrow[at : at + 2] for at in range(2, len(narrow), 2))


def head(found: Scene, plot: Plot) -> str:
    """The name of a kind of picture."""
    is_depth = plot.kind == "range" and columns.is_depth(found.contract.field(plot.columns[0]))
    return "Depth profile" if is_depth else _HEADS[plot.kind]


def said(texts: Sequence[str]) -> str:
    """What is below a picture."""
    return markup.block("<br>".join(f'<span class="tl-quiet">{escape(text)}</span>' for text in texts))
