"""How much was committed when: counts by day, week or month, and the picture of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from itertools import pairwise

from towline.history import Place

DAYS, WEEKS = 92, 730  # days up to which a bar is a day, or a week; then it is a month
LEAST = 14  # bars, so that one lonely day is not a wall


@dataclass(frozen=True)
class Bar:
    """The days from `start` up to, not including, `stop`: proposals committed in them, and those that are wanted."""

    start: date
    stop: date
    total: int
    wanted: int


@dataclass(frozen=True)
class Activity:
    """`span` is day, week or month."""

    span: str
    bars: tuple[Bar, ...]

    @property
    def most(self) -> int:
        return max((bar.total for bar in self.bars), default=0)


def activity(places: Iterable[Place], wanted: Iterable[Place], today: date) -> Activity:
    """Bars from the first commit until today (or the last commit, if some clock is ahead)."""
    total, found = _by_day(places), _by_day(wanted)
    if not total:
        return Activity("day", ())
    first, last = min(total), max(today, *total)
    days = (last - first).days + 1
    span = "day" if days <= DAYS else "week" if days <= WEEKS else "month"
    inside = pairwise(_edges(first, last, span))
    return Activity(span, tuple(Bar(a, b, _sum(total, a, b), _sum(found, a, b)) for a, b in inside))


def _by_day(places: Iterable[Place]) -> Counter[date]:
    return Counter(place.at.date() for place in places)


def _sum(counts: Counter[date], start: date, stop: date) -> int:
    return sum(count for day, count in counts.items() if start <= day < stop)


def _edges(first: date, last: date, span: str) -> Iterator[date]:
    """The first days of all spans from the one that holds `first`, and the one after `last`."""
    if span == "month":
        edge = first.replace(day=1)
    elif span == "week":
        edge = first - timedelta(first.weekday())
    else:
        edge = min(first, last - timedelta(LEAST - 1))
    while edge <= last:
        yield edge
        edge = _next(edge, span)
    yield edge


def _next(edge: date, span: str) -> date:
    if span == "month":
        return (edge.replace(day=1) + timedelta(32)).replace(day=1)
    return edge + timedelta(7 if span == "week" else 1)


def html(found: Activity) -> str:
    """The bars: what is wanted is filled, the rest is pale. Each says its days and counts where the mouse rests.

    Boxes, not an SVG: Streamlit takes drawings out of the HTML that it is given.
    """
    bars = "".join(_bar(bar, found) for bar in found.bars)
    first, last = found.bars[0].start, found.bars[-1].stop - timedelta(1)
    ends = f"<span>{first}</span><span>proposals a {found.span}, at most {found.most:,}</span><span>{last}</span>"
    picture = f'<div class="tl-spark" role="img" aria-label="{escape(says(found))}">{bars}</div>'
    return f'<div class="tl">{picture}<div class="tl-ends">{ends}</div></div>'


def _bar(bar: Bar, found: Activity) -> str:
    parts = (("all", bar.total), ("some", bar.wanted))
    drawn = "".join(
        f'<span class="tl-spark-{name}" style="height: {_percent(count, found.most)}%"></span>'
        for name, count in parts
        if count
    )
    return f'<span title="{escape(_title(bar, found.span))}">{drawn}</span>'


def _percent(count: int, most: int) -> str:
    """Never nothing for something."""
    return f"{max(6.0, 100 * count / most):.1f}"


def _title(bar: Bar, span: str) -> str:
    when = f"{bar.start}" if span == "day" else f"{bar.start} to {bar.stop - timedelta(1)}"
    chosen = f", {bar.wanted:,} of them chosen" if bar.wanted != bar.total else ""
    return f"{when}: {bar.total:,}{chosen}"


def says(found: Activity) -> str:
    """The picture in words."""
    last = found.bars[-1].stop - timedelta(1)
    total = sum(bar.total for bar in found.bars)
    return f"{total:,} proposals committed from {found.bars[0].start} to {last}, at most {found.most:,} a {found.span}"
