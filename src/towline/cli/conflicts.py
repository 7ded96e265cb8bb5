"""Conflicts as a table for people: what it was, theirs with author and note, yours, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from rich.table import Table
from rich.text import Text

from towline.cli import tables
from towline.cli.output import cell, plain, safe

_NOTE = 40  # characters of a note beside a value

Json: TypeAlias = Mapping[str, Any]
Line: TypeAlias = tuple[Text, Text, Text, Text, Text]  # column, what it was, theirs, by whom, yours


def table(conflicts: Iterable[Json]) -> Table:
    """Conflicts in their JSON form: those of a receipt, of a preview, or of a proposal that is being resolved."""
    found = tables.plain_table("row", "column", "was", "theirs", "by", "yours")
    for conflict in conflicts:
        for line in _lines(conflict):
            found.add_row(row(conflict["key"]), *line)
    return found


def row(key: Json | None) -> Text:
    """A row by its key."""
    items = (f"{name}={value if isinstance(value, str) else plain(value)}" for name, value in (key or {}).items())
    return Text(safe(", ".join(items)))


def _lines(conflict: Json) -> Iterator[Line]:
    if conflict["kind"] == "table":
        yield from _commits(conflict.get("commits") or ())
    elif conflict["kind"] == "insert/insert":
        yield from _inserted(conflict)
    elif conflict["cells"]:
        yield from (_cell(found) for found in conflict["cells"])
    else:
        yield from _deleted(conflict)


def _cell(found: Json) -> Line:
    by = _by(found.get("theirs_by"))
    return Text(found["column"]), cell(found["base"]), cell(found["theirs"]), by, cell(found["ours"])


def _inserted(conflict: Json) -> Iterator[Line]:
    """Both rows, whole: what is not in conflict belongs to what they are."""
    theirs, ours = conflict["theirs"], conflict["ours"]
    authors = {found["column"]: found.get("theirs_by") for found in conflict["cells"]}
    for column in theirs:
        if column in authors:
            yield Text(column), _quiet("no row"), cell(theirs[column]), _by(authors[column]), cell(ours[column])
        elif column not in conflict["key"] and (theirs[column], ours.get(column)) != (None, None):
            yield _quiet(column), _quiet("no row"), cell(theirs[column]), Text(), cell(ours[column])


def _deleted(conflict: Json) -> Iterator[Line]:
    """The row that one side deleted, and the cells that the other changed."""
    base, theirs, ours = (conflict[side] for side in ("base", "theirs", "ours"))
    by = _by(conflict.get("theirs_by"))
    yield Text("(whole row)"), _quiet("a row"), _whole(theirs), by, _whole(ours)
    stays = ours if theirs is None else theirs
    for column, value in stays.items():
        if value != base[column]:
            changed, mine = (Text() if side is None else cell(value) for side in (theirs, ours))
            yield Text(column), cell(base[column]), changed, Text(), mine


def _whole(side: Json | None) -> Text:
    return Text("deleted") if side is None else Text("changed")


def _commits(commits: Sequence[Json]) -> Iterator[Line]:
    """Of a proposal that nothing may follow: what followed."""
    for commit in commits or (None,):
        yield Text("(whole table)"), Text(), Text("a commit"), _by(commit), Text()


def _by(author: Json | None) -> Text:
    """`ana #2, 2026-11-21 09:04: flow meter recalibrated`."""
    if author is None:
        return _quiet("not known")
    note = str(author["note"])
    said = note if len(note) <= _NOTE else f"{note[:_NOTE]}…"
    at = str(author["at"])[:16].replace("T", " ")
    return Text(safe(f"{author['user']} #{author['number']}, {at}: {said}".replace("\n", " ")))


def _quiet(text: str) -> Text:
    return Text(text, style="dim")
