"""Why a statement is refused, and where in its text: `SqlRefused`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from towline.errors import BadProposal

_WIDTH = 60  # characters of a line that the excerpt shows on either side of the place


@dataclass(frozen=True)
class Place:
    """Where something stands in a statement: line and column from 1, and the text itself."""

    line: int
    column: int
    text: str

    @staticmethod
    def of(sql: str, start: int, end: int) -> Place:
        """The place of the characters `start` to `end` (exclusive)."""
        before = sql[:start]
        return Place(before.count("\n") + 1, start - before.rfind("\n"), sql[start:end])


class SqlRefused(BadProposal):
    """SQL that Towline does not run. `rule` is stable; `line` and `column` count from 1, `text` is what offends.

    `str()` is for people: the place, the reason with the way out, and the line with a caret below the place.
    """

    def __init__(self, rule: str, reason: str, sql: str, place: Place) -> None:
        self.reason = reason
        self.line, self.column, self.text = place.line, place.column, place.text
        super().__init__(f"line {place.line}:{place.column}: {reason}\n{_excerpt(sql, place)}", rule=rule)


def refused(rule: str, reason: str, sql: str, node: exp.Expr | None = None) -> SqlRefused:
    """The refusal of `node`, a part of what `sql` says; of the whole statement where there is none."""
    start, end = span(node) if node is not None else (0, 0)
    if (start, end) == (0, 0):
        start = len(sql) - len(sql.lstrip())
        end = start + len(sql[start:].split(maxsplit=1)[0]) if sql.strip() else start
    return SqlRefused(rule, reason, sql, Place.of(sql, start, end))


def span(node: exp.Expr) -> tuple[int, int]:
    """Where a node stands in the text that it was parsed from. Only names, literals and functions remember it, so a
    node stands where the first to the last of those below it do, or else where the nearest node above it does."""
    here: exp.Expr | None = node
    while here is not None:
        known = [(part.meta["start"], part.meta["end"] + 1) for part in here.walk() if "start" in part.meta]
        if known:
            return min(start for start, _ in known), max(end for _, end in known)
        here = here.parent
    return 0, 0


def _excerpt(sql: str, place: Place) -> str:
    """The line of the place, cut to what can be read, and a caret below where it begins."""
    line = sql.split("\n")[place.line - 1].replace("\t", " ").rstrip()
    first = max(0, place.column - 1 - _WIDTH)
    length = max(1, min(len(place.text.split("\n")[0]), _WIDTH))
    return f"  {line[first : place.column - 1 + _WIDTH]}\n  {' ' * (place.column - 1 - first)}{'^' * length}"
