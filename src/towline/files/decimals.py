"""Whether a file writes 12.5 or 12,5: decided for the file as a whole, from evidence, or refused.

`1,234` may be a number with three decimals or a thousand and more. A value such as `12,5` or `0,123` or `1,2345`
can only have a decimal comma, and one such value speaks for the file, since nobody groups thousands with commas in
a file that writes decimal commas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from towline.errors import UnreadableFile
from towline.values import shown

_WITH_COMMA = r"\A[+-]?(?:\d+,\d*|,\d+)(?:[eE][+-]?\d+)?\z"
_GROUPED = r"\A[+-]?[1-9]\d{0,2}(?:,\d{3})+\z"
_WITH_POINT = r"\A[+-]?(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?\z"
_COMMA_OR_WHOLE = rf"{_WITH_COMMA}|\A[+-]?\d+(?:[eE][+-]?\d+)?\z"

Columns = Mapping[str, pa.ChunkedArray]  # trimmed cells, by column name
Place = Callable[[str, int], str]  # column and row -> where a person finds the cell


def fits_comma(cells: pa.ChunkedArray) -> bool:
    """Whether a column of unknown type can be one of numbers with decimal commas."""
    return bool(
        pc.all(pc.match_substring_regex(cells, _COMMA_OR_WHOLE)).as_py()
        and _first(cells, ",", literal=True) is not None
    )


def has_decimal_comma(columns: Columns, separator: str, place: Place) -> bool:
    """Whether the numbers of these columns are written with a decimal comma. Raises UnreadableFile when in doubt."""
    if not _find(columns, ",", literal=True):
        return False
    if separator == ",":
        raise _refusal(columns, ",", place, "has a comma inside a number, in a file that separates columns by commas")
    if not _find(columns, _WITH_COMMA):
        return False  # then these are no numbers at all, and are reported as such
    if _find(columns, _WITH_POINT):
        raise _refusal(columns, _WITH_POINT, place, "has a decimal point, and other numbers have a decimal comma")
    if not any(_has_proof(cells) for cells in columns.values()):
        raise _refusal(columns, _WITH_COMMA, place, "may have decimals or thousands, and no other number tells which")
    return True


def with_point(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Decimal commas as points; what has a point or two commas stays, and is no number."""
    is_comma = pc.fill_null(pc.match_substring_regex(cells, _WITH_COMMA), False)
    return pc.if_else(is_comma, pc.replace_substring(cells, ",", "."), cells)


def _has_proof(cells: pa.ChunkedArray) -> bool:
    with_comma = pc.match_substring_regex(cells, _WITH_COMMA)
    return bool(pc.any(pc.and_(with_comma, pc.invert(pc.match_substring_regex(cells, _GROUPED)))).as_py())


def _find(columns: Columns, pattern: str, *, literal: bool = False) -> tuple[str, int] | None:
    for name, cells in columns.items():
        row = _first(cells, pattern, literal=literal)
        if row is not None:
            return name, row
    return None


def _first(cells: pa.ChunkedArray, pattern: str, *, literal: bool = False) -> int | None:
    match = pc.match_substring if literal else pc.match_substring_regex
    row = pc.index(match(cells, pattern), True).as_py()
    return row if row >= 0 else None


def _refusal(columns: Columns, pattern: str, place: Place, why: str) -> UnreadableFile:
    found = _find(columns, pattern, literal=pattern == ",")
    assert found is not None  # noqa: S101  # only called with a pattern that was found
    name, row = found
    value = shown(columns[name][row].as_py())
    return UnreadableFile(f"{place(name, row)}: {value} {why}; write all numbers with a decimal point")
