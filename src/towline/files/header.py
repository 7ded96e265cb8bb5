"""The names of a file's columns: given once each, readable, not too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from towline.errors import UnreadableFile
from towline.files.bounds import MAX_COLUMNS
from towline.rules.document import MAX_NAME
from towline.values import shown


def check_header(header: Sequence[str], place: Callable[[int], str]) -> list[str]:
    """The names without spaces around them. `place` says where the n-th (from 1) stands. Raises UnreadableFile."""
    if len(header) > MAX_COLUMNS:
        raise UnreadableFile(f"{len(header):,} columns; at most {MAX_COLUMNS:,} are read")
    names = [name.strip() for name in header]
    for position, name in enumerate(names, start=1):
        if not name:
            raise UnreadableFile(f"{place(position)} has no name; name it, or leave the column out")
        if not name.isprintable() or len(name) > MAX_NAME:
            raise UnreadableFile(
                f"{place(position)} is called {shown(name)}; use up to {MAX_NAME} printable characters"
            )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UnreadableFile(f"{shown(twice[0])} names {names.count(twice[0])} columns; give each a name of its own")
    return names
