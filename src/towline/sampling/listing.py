"""What an archive holds, as lines for a person; the names in it are shown, and never used as paths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from towline import keys

_NAME_MAX = 300  # characters of a name that a listing shows
_OWN_MAX = 120


def lines(rows: Iterable[Sequence[str]], notes: Iterable[str]) -> bytes:
    """A listing: a header, a line a file, and what is to be said beside."""
    text = ["\t".join(row) for row in rows] + [f"# {note}" for note in notes]
    return "".join(f"{line}\n" for line in text).encode("utf-8", "backslashreplace")


def printable(name: str) -> str:
    """A name on one line, whatever is in it."""
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name[:_NAME_MAX])
    return shown + (f"… ({len(name):,} characters)" if len(name) > _NAME_MAX else "")


def is_safe(name: str) -> bool:
    """Whether a name stays where an archive is unpacked, and is one line of text."""
    parts = name.split("/")
    return name.isprintable() and "\\" not in name and ".." not in parts and parts[0] != "" and ":" not in parts[0]


def own_name(name: str) -> str:
    """The last part of a name in an archive, fit to be a file's name."""
    return keys.segment(name.rstrip("/").rsplit("/", 1)[-1])[-_OWN_MAX:]
