"""Regular expressions over many texts, which end whatever is typed. Pure.

They are RE2's: their time grows with the text and never explodes. It still grows with the pattern, so that they are run
over a piece of the texts at a time, and given up when they have taken too long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import thread_time
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from app.editing.cells import is_storable

LONGEST = 1_000  # characters of a pattern
REPEATS = 1_000  # all numbers in {} together: repetition is what makes a short pattern slow
PATIENCE = 3.0  # seconds of computing that all uses of one pattern may take together
LARGEST = 100_000_000  # characters that the texts it makes may have together: memory is not endless

_PIECE = 20_000  # characters of the first piece: the slowest pattern takes a few seconds for them
_QUICK = 0.05  # seconds below which the next piece is twice as large
_HALVES = re.compile("[\ud800-\udfff]")
_COUNTED = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_REFERENCE = re.compile(r"\\[0-9]")
_INVALID = "Invalid regular expression: "


class BadPattern(ValueError):
    """What cannot be searched for or put in. The message says why, and what to write instead."""


def typed(text: str, *, is_regex: bool = True) -> str:
    """What a person typed as the source of a Pattern; as it stands where it is no regular expression. Raises
    BadPattern."""
    if not is_storable(text):
        raise BadPattern("what is searched for holds half a character; type it again")
    if len(text) > LONGEST:
        raise BadPattern(f"what is searched for has {len(text):,} characters; {LONGEST:,} are the most")
    if not is_regex:
        return re.escape(text)
    repeats = sum(int(most or least) for least, most in _COUNTED.findall(text))
    if repeats > REPEATS:
        raise BadPattern(f"the numbers in {{}} make {repeats:,} repetitions; {REPEATS:,} are the most")
    return Pattern(text).source


@dataclass
class Pattern:
    """A regular expression, and for how long it may still be run. It, and its methods, raise BadPattern."""

    source: str
    left: float = field(default_factory=lambda: PATIENCE)

    def __post_init__(self) -> None:
        self.found([""])

    def found(self, texts: Sequence[str]) -> list[bool]:
        """Whether it is found in each."""
        return self._run(texts, lambda piece: pc.match_substring_regex(piece, self.source))

    def replaced(self, texts: Sequence[str], new: str) -> list[str]:
        """Each with `new` for everything that is found; \\1 is the pattern's first group, \\0 all that was found."""
        self._check_size(texts, new)
        return self._run(texts, lambda piece: pc.replace_substring_regex(piece, self.source, new))

    def _check_size(self, texts: Sequence[str], new: str) -> None:
        times = self._run(texts, lambda piece: pc.count_substring_regex(piece, self.source))
        references = len(_REFERENCE.findall(new))
        size = sum(len(text) + n * (len(new) + references * len(text)) for text, n in zip(texts, times, strict=True))
        if size > LARGEST:
            raise BadPattern(f"this would make {size:,} characters of text; find less, or put in something shorter")

    def _run(self, texts: Sequence[str], compute: Callable[[pa.Array], pa.Array]) -> list[Any]:
        results: list[Any] = []
        for piece in self._pieces(texts):
            try:
                results += compute(_array(piece)).to_pylist()
            except pa.ArrowInvalid as error:
                raise BadPattern(_reason(error)) from None
        return results

    def _pieces(self, texts: Sequence[str]) -> Iterator[Sequence[str]]:
        """The texts in pieces of a growing number of characters."""
        at, size = 0, _PIECE
        while at < len(texts):
            end, began = _end(texts, at, size), thread_time()
            yield texts[at:end]
            took = thread_time() - began
            self.left -= took
            if self.left < 0 and end < len(texts):
                raise BadPattern("this takes too long; write it simpler, or choose fewer columns")
            size *= 2 if took < _QUICK else 1
            at = end


def _end(texts: Sequence[str], at: int, size: int) -> int:
    """Where the piece that begins at `at` ends: at least one text long."""
    while at < len(texts) and size > 0:
        size -= len(texts[at]) + 1
        at += 1
    return at


def _array(texts: Sequence[str]) -> pa.Array:
    """Texts as Arrow takes them. Half characters, which it does not, as the sign for what cannot be read."""
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return pa.array([_HALVES.sub("\ufffd", text) for text in texts], pa.string())


def _reason(error: pa.ArrowInvalid) -> str:
    """What RE2 says, in terms of what was typed."""
    said = str(error)
    if said.startswith(_INVALID):
        return f"this is no regular expression: {said.removeprefix(_INVALID).splitlines()[0].strip()}"
    return (
        r"what is put in cannot be read: in a regular expression, write \1 to \9 for groups that it has, \0 for all of "
        r"what was found, and \\ for a backslash"
    )
