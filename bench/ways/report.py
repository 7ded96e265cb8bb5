"""What was measured, as Markdown: a short table, all figures, and the bounds with what they came to."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from bench.ways import ALL, TASKS
from bench.ways.child import Measured

MB, NONE = 1_000_000, "\N{EN DASH}"


@dataclass
class Figure:
    """The runs of one task in one way, or why there are none (any more)."""

    runs: list[Measured] = field(default_factory=list)
    failure: str = ""

    @property
    def is_done(self) -> bool:
        return bool(self.runs) and not self.failure

    def median(self, what: str) -> float:
        return statistics.median(getattr(run, what) or 0 for run in self.runs)


Figures = dict[tuple[int, str, str], Figure]  # rows, task, way
# In the short table, the ways that are variants of one tool share a column, and the fastest is shown.
SHORT: Mapping[str, tuple[str, ...]] = {
    "Towline": ("towline", "flatten"),
    "Towline, splice": ("splice",),
    "pandas": ("pandas",),
    "DuckDB": ("duckdb",),
    "polars": ("polars",),
    "delta-rs": ("delta", "delta-merge"),
    "pyiceberg": ("iceberg", "iceberg-upsert"),
}


def report(figures: Figures, header: str) -> tuple[str, bool]:
    """The whole report, and whether every bound that was measured holds."""
    sizes = sorted({rows for rows, _, _ in figures})
    bounds = [bound for bound in BOUNDS if bound.measured(figures)]
    sections = [header]
    sections += [f"## {rows:,} rows, in short\n\n{short(figures, rows)}" for rows in sizes]
    sections += [f"## {rows:,} rows, all figures\n\n{whole(figures, rows)}" for rows in sizes]
    sections.append("## Bounds\n\n" + "\n".join(bound.line(figures) for bound in bounds))
    return "\n\n".join(sections) + "\n", all(bound.holds(figures) for bound in bounds)


def short(figures: Figures, rows: int) -> str:
    """Seconds and peak megabytes by task and tool."""
    tools = {tool: ways for tool, ways in SHORT.items() if any((rows, t, w) in figures for t in TASKS for w in ways)}
    lines = [["", *tools], ["---", *("--:" for _ in tools)]]
    for task, label in TASKS.items():
        if any((rows, task, way) in figures for way in ALL):
            lines.append([label, *(_cell(_best(figures, rows, task, ways)) for ways in tools.values())])
    return _table(lines)


def whole(figures: Figures, rows: int) -> str:
    """A line for each task and way, with a note for what a way cannot do."""
    notes: list[str] = []
    heads = ["task", "way", "seconds", "peak MB", "MB down", "MB up", "MB copied", "in seconds", "requests"]
    lines = [heads, ["---", "---", *("--:" for _ in heads[2:])]]
    for task, label in TASKS.items():
        here = [way for way in ALL if task in ALL[way].tasks and _is_here(figures, rows, way)]
        if not any((rows, task, way) in figures for way in here):
            continue
        for number, way in enumerate(here):
            figure = figures.get((rows, task, way))
            cells = _line(figure, way, notes) if figure and figure.is_done else _missing(figure, task, way, notes)
            lines.append(["" if number else label, ALL[way].label, *cells])
    return "\n".join([_table(lines), "", *(f"{number}. {note}" for number, note in enumerate(notes, 1))])


def _line(figure: Figure, way: str, notes: list[str]) -> list[str]:
    """The seven figures of a line."""
    down = _note(ALL[way].unread, notes) if ALL[way].unread else _mb(figure.median("down"))
    moved = [_seconds(figure), _mb(figure.median("peak"), 0), down, _mb(figure.median("up"))]
    if figure.runs[0].requests is None:
        return [*moved, "", "", ""]
    copying = [_mb(figure.median("copied")), f"{figure.median('copying'):.2f}"]
    return [*moved, *copying, f"{figure.median('requests'):.0f}"]


def _missing(figure: Figure | None, task: str, way: str, notes: list[str]) -> list[str]:
    """Seven cells without figures, and a mark of the note that says why."""
    why = figure.failure if figure else ALL[way].cannot.get(task, "was not asked for it")
    return [_note(why, notes), *[""] * 6]


def _note(text: str, notes: list[str]) -> str:
    """A mark of this note, which is added where it is new."""
    if text not in notes:
        notes.append(text)
    return f"{NONE} ({notes.index(text) + 1})"


def _best(figures: Figures, rows: int, task: str, ways: tuple[str, ...]) -> Figure | None:
    """The fastest of these ways that did it."""
    done = [figure for way in ways if (figure := figures.get((rows, task, way))) and figure.is_done]
    return min(done, key=lambda figure: figure.median("seconds"), default=None)


def _is_here(figures: Figures, rows: int, way: str) -> bool:
    return any((rows, task, way) in figures for task in TASKS)


def _cell(figure: Figure | None) -> str:
    return NONE if figure is None else f"{_seconds(figure)} s, {_mb(figure.median('peak'), 0)} MB"


def _seconds(figure: Figure) -> str:
    """Two digits that count."""
    seconds = figure.median("seconds")
    return f"{seconds:.3f}" if seconds < 0.1 else f"{seconds:.2f}" if seconds < 10 else f"{seconds:.0f}"


def _mb(size: float, digits: int = 1) -> str:
    return f"{size / MB:,.{digits}f}"


def _table(lines: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


@dataclass(frozen=True)
class Bound:
    """One promise: a value of the figures, and the least or most that it may be. `needs` names the figures."""

    text: str
    needs: tuple[tuple[int, str, str], ...]
    value: Callable[..., float]
    limit: float
    unit: str
    least: bool = False

    def measured(self, figures: Figures) -> bool:
        return all(need in figures and figures[need].is_done for need in self.needs)

    def holds(self, figures: Figures) -> bool:
        found = self._found(figures)
        return found >= self.limit if self.least else found <= self.limit

    def line(self, figures: Figures) -> str:
        verdict = "pass" if self.holds(figures) else "FAIL"
        expected = f"at {'least' if self.least else 'most'} {self.limit:g}{self.unit}"
        return f"- {verdict}: {self.text}: {self._found(figures):.3g}{self.unit} ({expected})"

    def _found(self, figures: Figures) -> float:
        return self.value(*(figures[need] for need in self.needs))


def _times(ours: Figure, *theirs: Figure) -> float:
    """How many times as long the fastest of the others takes."""
    return min(figure.median("seconds") for figure in theirs) / ours.median("seconds")


def _grown(what: Callable[[Figure], float]) -> Callable[[Figure, Figure], float]:
    return lambda small, large: what(large) / what(small)


def _moved(figure: Figure) -> float:
    return figure.median("down") + figure.median("up")


def _in(what: str, unit: float) -> Callable[[Figure], float]:
    return lambda figure: figure.median(what) / unit


def _bounds() -> Iterator[Bound]:
    small, rows, large = 1_000_000, 10_000_000, 30_000_000
    for way, name in (("splice", "one cell of 10M rows, splice"), ("towline", "one cell of 10M rows, whole way")):
        ours = (rows, "one_cell", way)
        formats = [(rows, "one_cell", other) for other in ("delta", "delta-merge", "iceberg", "iceberg-upsert")]
        yield Bound(f"{name}: faster than pandas", (ours, (rows, "one_cell", "pandas")), _times, 40, "x", least=True)
        yield Bound(f"{name}: faster than delta-rs and pyiceberg", (ours, *formats), _times, 5, "x", least=True)
        yield Bound(f"{name}: down", (ours,), _in("down", MB), 2, " MB")
        yield Bound(f"{name}: up", (ours,), _in("up", MB), 2, " MB")
        yield Bound(f"{name}: peak", (ours,), _in("peak", MB), 250, " MB")
        both = ((small, "one_cell", way), (large, "one_cell", way))
        grown = name.replace("of 10M rows", "from 1M to 30M rows")
        yield Bound(f"{grown}: time", both, _grown(lambda figure: figure.median("seconds")), 5, "x")
        yield Bound(f"{grown}: bytes", both, _grown(_moved), 3, "x")
    plain, mixed = ((rows, f"flatten-{how}", "flatten") for how in ("disjoint", "shuffled"))
    pandas, duck = (rows, "flatten-disjoint", "pandas"), (rows, "flatten-shuffled", "duckdb")
    yield Bound("64 parts in order: faster than pandas", (plain, pandas), _times, 20, "x", least=True)
    yield Bound("64 parts in order: peak", (plain,), _in("peak", MB), 200, " MB")
    yield Bound("64 parts that overlap: peak", (mixed,), _in("peak", MB), 1000, " MB")
    yield Bound("64 parts that overlap: time beside DuckDB", (duck, mixed), _times, 1.5, "x")
    diff, duck = (rows, "diff", "towline"), (rows, "diff", "duckdb")
    yield Bound("difference of 10M rows", (diff,), _in("seconds", 1), 1, " s")
    yield Bound("difference of 10M rows: faster than DuckDB", (diff, duck), _times, 5, "x", least=True)
    yield Bound("first page of 10M rows: down", ((rows, "page", "towline"),), _in("down", MB), 5, " MB")


BOUNDS = tuple(_bounds())
