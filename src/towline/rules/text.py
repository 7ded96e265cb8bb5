"""What text a cell may hold: anything a person writes in one line.

Emoji, formulas (`=1+1`) and markup are ordinary text and are kept as they are. Not ordinary: NUL and the other
control characters (tab excepted), line breaks outside multiline columns, halves of a surrogate pair, and more
characters than the column's bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from towline.rules.field import Field
from towline.rules.finding import Finding
from towline.values import Value

# Written so that RE2 and Python read them alike.
_CONTROL = "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
_BREAK = "[\r\n\u2028\u2029]"
_NUL = "\\x00"
_ANY = f"{_NUL}|{_CONTROL}|{_BREAK}"

_LOOKED_AT = 512  # rows

_MEANING = {
    "text.control": "holds a control character; remove it",
    "text.linebreak": "holds a line break; write it in one line, or let the contract call the column multiline",
}


def text_findings(field: Field, column: pa.ChunkedArray) -> Iterator[Finding]:
    """The breaches in a whole column of strings."""
    bound = field.text_bound
    too_long = pc.greater(pc.utf8_length(column), bound)
    yield Finding(
        "text.length",
        field.severity("text.length"),
        (field.name,),
        too_long,
        lambda v: f"{field.name} {_length(v[0], bound)}",
    )
    if pc.any(pc.match_substring_regex(_each(column), _ANY)).as_py():  # one pass for the usual case: nothing to find
        yield _matches(field, column, "text.control", f"{_NUL}|{_CONTROL}")
        if not field.multiline:
            yield _matches(field, column, "text.linebreak", _BREAK)


def _each(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Every text of a column, once where they seem to repeat: telling them apart is quicker than reading them all."""
    first = column.slice(0, _LOOKED_AT)
    return pc.unique(column) if 2 * pc.count_distinct(first).as_py() <= len(first) else column


def text_breaches(field: Field, text: str) -> Iterator[tuple[str, str]]:
    """The breaches in one cell, as rule and message. Lone surrogates are found here only: Arrow holds none."""
    if len(text) > field.text_bound:
        yield "text.length", _length(text, field.text_bound)
    if re.search("[\ud800-\udfff]", text):
        yield "text.unicode", "holds half of a surrogate pair, which is no character; send valid Unicode"
    if re.search(f"{_NUL}|{_CONTROL}", text):
        yield "text.control", _MEANING["text.control"]
    if not field.multiline and re.search(_BREAK, text):
        yield "text.linebreak", _MEANING["text.linebreak"]


def _matches(field: Field, column: pa.ChunkedArray, rule: str, pattern: str) -> Finding:
    mask = pc.match_substring_regex(column, pattern)
    return Finding(rule, field.severity(rule), (field.name,), mask, lambda _: f"{field.name} {_MEANING[rule]}")


def _length(value: Value, bound: int) -> str:
    return f"has {len(str(value)):,} characters; at most {bound:,} fit"
