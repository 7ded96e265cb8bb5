"""Bytes as text in which every place tells a place in the bytes, so that a sample is cut out of them as they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

_MARKS = ((b"\xff\xfe", "utf-16-le", 1), (b"\xfe\xff", "utf-16-be", 1), (b"\xef\xbb\xbf", "latin-1", 3))


@dataclass(frozen=True)
class View:
    """Each byte as the character of that number, which is right for ASCII in every encoding that goes by bytes; UTF-16
    as its characters. What others there are does not matter: no separator, quote or bracket is among them."""

    body: bytes

    @cached_property
    def _mark(self) -> tuple[bytes, str, int]:
        return next((mark for mark in _MARKS if self.body.startswith(mark[0])), (b"", "latin-1", 0))

    @property
    def begin(self) -> int:
        """Where the text begins, behind a byte order mark."""
        return self._mark[2]

    @cached_property
    def text(self) -> str:
        codec = self._mark[1]
        body = self.body if codec == "latin-1" else self.body[: len(self.body) // 2 * 2]
        return body.decode(codec, "surrogatepass")

    def encoded(self, text: str) -> bytes:
        """The bytes that some of this text was, or, of other text, would be here."""
        return text.encode(self._mark[1], "surrogatepass")

    def until(self, stop: int) -> bytes:
        """The bytes before the character at `stop`."""
        return self.body[: len(self.encoded(self.text[:stop]))]

    def first_line(self) -> bytes:
        """The first line that is not blank, as text in UTF-8 where it can be told."""
        line = next((line for line in self.text[self.begin :].split("\n") if line.strip()), "").strip()
        return line.encode("latin-1" if self._mark[1] == "latin-1" else "utf-8", "surrogatepass")


def unpaired(text: str) -> str:
    """The text with half characters spelled out, as JSON can name them: nothing could write them."""
    return text.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True)
class Rows:
    """Some first rows of a file. `whole`: it is known to have no others."""

    body: bytes
    count: int
    whole: bool
