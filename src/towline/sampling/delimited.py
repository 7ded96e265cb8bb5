"""Where the rows of a CSV or TSV file end, and its header; where lines do.

The separator is the one that the first line has most of; a newline within quotes ends nothing. A quote counts only
where it opens a cell: `5" pipe` is a cell.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from towline.errors import UnreadableFile
from towline.files import encoding
from towline.sampling.streams import Beginning
from towline.sampling.text import Rows, View

_LINE_END = re.compile(r"\r\n?|\n")
# Lines without anything: many are passed over at once. A tab may be a cell.
_BLANK, _BLANK_OF_TABS = re.compile(r"[ \t\r\n]*[\r\n]"), re.compile(r"[ \r\n]*[\r\n]")
_SPACES = " \t\r\n"
_SEPARATORS = ",;\t|"


def cut(beginning: Beginning, rows: int) -> Rows | None:
    """The header and the first rows of a CSV; None: more has to be read first, or none of them is whole."""
    return _cut(beginning, rows, "")


def cut_tabs(beginning: Beginning, rows: int) -> Rows | None:
    """The same of a TSV."""
    return _cut(beginning, rows, "\t")


def cut_lines(beginning: Beginning, rows: int) -> Rows | None:
    """The first lines that are not blank."""
    view = View(beginning.body)
    return _first(beginning, view, _lines(view, ended=beginning.ended), rows, 0)


def header(body: bytes, separator: str = "") -> list[str]:
    """The names of the columns of a file that begins with these whole rows. UnreadableFile: it is no text."""
    text, _ = encoding.decode(body)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator or separator_of(text))
    try:
        return [name.strip() for name in next((record for record in reader if record), [])]
    except csv.Error as error:
        raise UnreadableFile(f"the header cannot be read: {error}") from None


def separator_of(text: str) -> str:
    """What parts the cells of the first line; a comma where nothing does."""
    line = re.sub(r'"[^"]*"', "", _first_line(text))
    return max(_SEPARATORS, key=line.count)


def _first_line(text: str) -> str:
    return next((line for line in io.StringIO(text[: 2**16], newline=None) if line.strip()), "")


def _cut(beginning: Beginning, rows: int, separator: str) -> Rows | None:
    view = View(beginning.body)
    separator = separator or separator_of(view.text[view.begin :])
    return _first(beginning, view, _records(view, separator, ended=beginning.ended), rows, 1)


def _first(beginning: Beginning, view: View, ends: Iterator[int], rows: int, headers: int) -> Rows | None:
    """What goes up to the end of the last row that is wanted."""
    found = list(islice(ends, rows + headers))
    count, stop = len(found), found[-1] if found else 0
    is_last = beginning.ended or beginning.spent
    if count < rows + headers and (not is_last or (beginning.spent and count <= headers)):
        return None
    body = view.until(stop)
    whole = beginning.ended and not view.text[stop:].strip()
    return Rows(beginning.body if whole else body, max(0, count - headers), whole)


def _lines(view: View, *, ended: bool) -> Iterator[int]:
    """Where each line that is not blank ends, its line end included."""
    text, at = view.text, view.begin
    while (at := _behind(_BLANK, text, at)) < len(text):
        newline = text.find("\n", at)
        if newline < 0 and not ended:
            return
        stop = len(text) if newline < 0 else newline + 1
        if text[at:stop].strip(_SPACES):
            yield stop
        at = stop


def _records(view: View, separator: str, *, ended: bool) -> Iterator[int]:
    """Where each record ends, its line end included. A blank line is none. One whose quotes do not close is not whole;
    at the end of the file it is a record all the same."""
    text, at = view.text, view.begin
    blank = _BLANK_OF_TABS if separator == "\t" else _BLANK
    while (at := _behind(blank, text, at)) < len(text):
        stop = _record(text, at, separator)
        if stop is None or (stop == len(text) and not text.endswith("\n")):
            # A CR at the end may be half of a line end, and a record without one may go on.
            if ended:
                yield len(text)
            return
        if text[at:stop].strip(_SPACES) or separator in text[at:stop]:
            yield stop
        at = stop


def _behind(blank: re.Pattern[str], text: str, at: int) -> int:
    found = blank.match(text, at)
    return found.end() if found else at


def _record(text: str, at: int, separator: str) -> int | None:
    """Where the record at `at` ends; None: not in this text."""
    end = _LINE_END.search(text, at)
    quote = text.find('"', at, end.start() if end else len(text))
    if quote < 0:
        return end.end() if end else None
    cell, at = _cell(separator), max(at, text.rfind(separator, at, quote) + 1)
    while True:
        found = cell.match(text, at)
        if found is None:
            return None
        at = found.end()
        if found[1] != separator:
            return at


@cache
def _cell(separator: str) -> re.Pattern[str]:
    """A cell and what ends it: a separator, a line end, or nothing where the text ends."""
    rest = rf"[^{re.escape(separator)}\r\n]*+"
    return re.compile(rf'(?:"(?:[^"]++|"")*+"{rest}|(?!"){rest})({re.escape(separator)}|\r\n?|\n|\Z)')
