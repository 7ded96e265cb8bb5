"""The first elements of a JSON document, cut out of its text.

    an array        its first elements, and the bracket that closes them
    an object       with each list that is a member of it cut to its first elements;
                    where a list goes on for long behind them, or the text ends, so does the object

The text is passed over bracket by bracket, without recursion, and what is made of it is read once more before anybody
gets it: it is JSON, or nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from towline.errors import UnreadableFile
from towline.sampling.bounds import DEEPEST, SMALL
from towline.sampling.streams import Beginning
from towline.sampling.text import Rows, View

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', re.DOTALL)
# Where commas are no matter: a list of numbers is passed over at once.
_DEEP = re.compile(r'"(?:[^"\\]++|\\.)*+"|\[[^"\[\]{}]*+\]|["\[\]{}]', re.DOTALL)
_DIGITS = 40  # of a number that is made one
_INK = re.compile(r"[^ \t\r\n]")
_CLOSING = {"[": "]", "{": "}"}


def cut(beginning: Beginning, rows: int) -> Rows | None:
    """The document with no more than `rows` elements; None: more has to be read first, or none of it is whole.
    UnreadableFile: it is no JSON."""
    view = View(beginning.body)
    is_last = beginning.ended or beginning.spent
    start = _start(view)
    if start is None and not is_last:
        return None
    scan = _Scan(view.text, _opening(view, start), rows)
    scan.run()
    if beginning.ended and not scan.is_done:
        raise UnreadableFile("the JSON ends before its brackets close: it is cut")
    if not is_last and (scan.is_closed or not scan.is_done):  # whether something follows is seen at the end
        return None
    if not scan.is_done and not scan.is_cuttable:
        return None
    if scan.is_closed and view.text[scan.stop :].strip():
        raise UnreadableFile(f"something follows the JSON document, from character {scan.stop:,} on")
    body = b"".join((view.body[: len(view.encoded(view.text[: view.begin]))], view.encoded(scan.result())))
    found = parse(body)
    is_whole = beginning.ended and scan.is_closed and not scan.kept
    return Rows(beginning.body if is_whole else body, len(found) if isinstance(found, list) else 1, is_whole)


def parse(body: bytes) -> Any:
    """What a document says. UnreadableFile: it is none."""
    try:
        return json.loads(body, parse_int=_whole)
    except RecursionError:
        raise UnreadableFile("the JSON has too many brackets within each other") from None
    except ValueError as error:
        raise UnreadableFile(f"this is no JSON: {error}") from None


def _whole(text: str) -> int | str:
    """A number; as text where it has more digits than any is worth."""
    return int(text) if len(text) <= _DIGITS else text


def names(body: bytes) -> tuple[list[str], int]:
    """The names in the first record of a document, and how many records it has; an object is one. UnreadableFile: it is
    neither an array nor an object."""
    found = parse(body)
    if isinstance(found, dict):
        return list(found), 1 if found else 0
    if not isinstance(found, list):
        raise UnreadableFile("this JSON is one value; an array or an object was expected")
    return list(found[0]) if found and isinstance(found[0], dict) else [], len(found)


def _start(view: View) -> int | None:
    """Where the first character is that is not blank."""
    found = _INK.search(view.text, view.begin)
    return found.start() if found else None


def _opening(view: View, start: int | None) -> int:
    """`start`, where an array or an object begins there."""
    if start is not None and view.text[start] in _CLOSING:
        return start
    found = "there is nothing but blanks" if start is None else "it begins with neither [ nor {"
    raise UnreadableFile(f"this is no JSON array or object: {found}")


@dataclass
class _Scan:
    """A walk over the brackets of a text, from `start` on. `boundary`: the last place at which a member or an element
    was whole, and what has to be closed there. `kept`: what was passed, where elements have been left out."""

    text: str
    start: int
    rows: int
    stack: list[str] = field(default_factory=list)
    kept: list[tuple[int, int]] = field(default_factory=list)
    boundary: tuple[int, str] | None = None
    elements: int = 0
    left_out: int | None = None  # from where on elements of a list are left out
    stop: int = 0
    is_done: bool = False
    is_closed: bool = False

    @property
    def is_cuttable(self) -> bool:
        return self.boundary is not None

    def run(self) -> None:
        at = self.start
        while found := (_DEEP if self._is_deep else _TOKEN).search(self.text, at):
            mark, at = found[0], found.end()
            if mark == '"':  # a string that does not end here
                return
            if mark in _CLOSING:
                self._open(mark, found.start())
            elif mark == ",":
                self._part(found.start())
            elif mark in ("]", "}"):
                self._close(mark, found.start())
            if self.left_out is not None and found.start() - self.left_out > SMALL:
                self.is_done = True
            if self.is_done:
                return

    def result(self) -> str:
        if self.is_closed:
            spans, closers = [*self.kept, (self.start, self.stop)], ""
        else:
            at, closers = self.boundary or (self.start, "")
            spans = [*self.kept, (self.start, at)]
        return "".join(self.text[start:stop] for start, stop in spans) + closers

    @property
    def _is_in_list(self) -> bool:
        """Whether this is a list that is a member of the document."""
        return self.stack == ["}", "]"]

    @property
    def _is_deep(self) -> bool:
        """Whether it is no matter here where an element ends."""
        return len(self.stack) > 1 and not self._is_in_list

    def _open(self, mark: str, at: int) -> None:
        self.stack.append(_CLOSING[mark])
        if len(self.stack) > DEEPEST:
            raise UnreadableFile(f"the JSON has more than {DEEPEST} brackets within each other, at character {at:,}")
        if self._is_in_list:
            self.elements = 0

    def _part(self, at: int) -> None:
        if self.stack == ["]"]:
            self.elements += 1
            self.boundary = (at, "]")
            self.is_done = self.elements == self.rows
        elif len(self.stack) == 1:
            self.boundary = (at, "}")
        elif self._is_in_list:
            self.elements += 1
            if self.elements == self.rows:
                self.left_out = at
            if self.elements <= self.rows:
                self.boundary = (at, "]}")

    def _close(self, mark: str, at: int) -> None:
        if not self.stack or self.stack[-1] != mark:
            raise UnreadableFile(f"the JSON closes a bracket that is not open, at character {at:,}")
        if self._is_in_list and self.left_out is not None:
            self.kept.append((self.start, self.left_out))
            self.start, self.left_out = at, None
        self.stack.pop()
        if not self.stack:
            self.is_done, self.is_closed, self.stop = True, True, at + 1
        elif len(self.stack) == 1:
            self.boundary = (at + 1, self.stack[0])
        elif self._is_in_list and self.left_out is None:
            self.boundary = (at + 1, "]}")
