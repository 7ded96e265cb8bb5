"""Cells of text to values: by Arrow's casts where they can read a whole column, else one different text at a time.

What a text means is what `_READERS` say; a cast that succeeds says the same, only sooner.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .pieces import BOOLEAN, INTEGER, LOG, NUMBER, TEXT, TIME

TEXT_MAX = 1_000  # characters: a round's texts are there once more for each of its fixes

ARROW: Mapping[str, pa.DataType] = {
    TEXT: pa.string(),
    LOG: pa.string(),
    NUMBER: pa.float64(),
    INTEGER: pa.int64(),
    BOOLEAN: pa.bool_(),
    TIME: pa.timestamp("us", "UTC"),
}
REASONS: Mapping[str, str] = {
    TEXT: f"is longer than {TEXT_MAX:,} characters",
    NUMBER: "is no number",
    INTEGER: "is no whole number of 64 bits",
    BOOLEAN: "is neither true nor false",
    TIME: "is no time: expected such as 2025-07-01T14:03:09.250Z, or milliseconds since 1970",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)


def typed(texts: pa.Array, kind: str) -> tuple[pa.Array, pa.Array | None]:
    """The values, null where there is no text; and where a text has none (None: nowhere). Blanks around are no part of
    it, and blanks alone are none."""
    if kind == LOG or texts.null_count == len(texts):
        return texts.cast(ARROW[kind]), None
    if kind == TEXT:
        is_long = pc.fill_null(pc.greater(pc.utf8_length(texts), TEXT_MAX), False)
        return (pc.if_else(is_long, None, texts), is_long) if pc.any(is_long).as_py() else (texts, None)
    try:
        return _cast(texts, kind), None
    except pa.ArrowInvalid:
        return _one_by_one(texts, kind)


def _cast(texts: pa.Array, kind: str) -> pa.Array:
    """ArrowInvalid: a text is not as most are. Whole numbers are read as numbers first, so that 7.0 is one."""
    if kind == INTEGER:
        return texts.cast(pa.float64()).cast(pa.int64())
    return texts.cast(ARROW[kind])


def _one_by_one(texts: pa.Array, kind: str) -> tuple[pa.Array, pa.Array]:
    different = texts.dictionary_encode()
    stripped = [text.strip() for text in different.dictionary.to_pylist()]
    read = _READERS[kind]
    values = pa.array([read(text) if text else None for text in stripped], ARROW[kind])
    is_bad = pa.array([bool(text) and value is None for text, value in zip(stripped, values.to_pylist(), strict=True)])
    return values.take(different.indices), pc.fill_null(is_bad.take(different.indices), False)


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _integer(text: str) -> int | None:
    number = _number(text)
    if number is None or not number.is_integer() or not -(2**63) <= number < 2**63:
        return None
    return int(number)


def _boolean(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())


def _time(text: str) -> datetime | None:
    """Without a zone it is UTC."""
    try:
        if re.fullmatch(r"-?\d{9,15}", text):
            return _EPOCH + timedelta(milliseconds=int(text))
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_READERS: Mapping[str, Callable[[str], Any]] = {NUMBER: _number, INTEGER: _integer, BOOLEAN: _boolean, TIME: _time}
