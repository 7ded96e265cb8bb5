"""A cell's value and the text that a person sees and types for it.

| value       | shown as                           | typed                                                    |
|-------------|------------------------------------|----------------------------------------------------------|
| null        | None (the grid says a grey `null`) | an emptied cell; also `null`, except in a text column    |
| text        | itself                             | itself, as it stands                                     |
| empty text  | `""`                               | `""`                                                     |
| number      | shortest form, 248 for 248.0       | with a decimal point, never a comma                      |
| boolean     | `True`, `False`                    | the same, in any case                                    |
| date, time  | ISO 8601, with a space             | the same, or as the contract's format says               |

What the contract calls a missing value is null too, except in a text column.
A text of nothing but quotation marks is shown with one more pair around it, and loses a pair when it is read: so the
empty text has a spelling of its own, and every text reads back as itself.

What does not fit its column is refused with a reason, never guessed: `12,5` may be 12.5 or 125.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache

import pyarrow as pa

from towline.contract import Field
from towline.files.columns import EXPECTED, read_as
from towline.rules.times import DEFAULT
from towline.values import Value, encode, shown

Text = str | None  # what a cell of the grid holds; None is null

_KEPT = 200_000  # texts whose meaning is remembered, of each kind of column

_MARKS = re.compile('"*')
_COMMA = re.compile(r"[+-]?[\d.' ]*\d,\d[\d,.' ]*")
_SEPARATED = re.compile(r"[+-]?\d{1,3}(?:[ '\u00a0\u202f]\d{3})+(?:\.\d*)?")
_DASHES = re.compile("[\u2010-\u2015\u2212]")


class Misfit(ValueError):
    """A text that does not fit its column. The message says why, and how to write it instead."""


def text_of(value: Value) -> Text:
    """The text of a value, which `value_of` reads back as the same value."""
    if value is None:
        return None
    if isinstance(value, str):
        return f'"{value}"' if _is_marked(value) else value
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(encode(value)).replace("T", " ") if isinstance(value, datetime) else str(encode(value))


def value_of(text: Text, field: Field, missing: Iterable[str] = ()) -> Value:
    """The value that a person means by a text in this column. Raises Misfit."""
    return reading(field, missing).value_of(text)


def reading(field: Field, missing: Iterable[str] = ()) -> Reading:
    """What texts mean in a column: the same for all columns of one kind."""
    return _reading(field.type, field.format, field.utc, tuple(missing))


@dataclass
class Reading:
    """What texts mean in columns of one kind. Each text is read once: whoever types meets the same ones again with
    every edit."""

    field: Field
    missing: tuple[str, ...]
    _known: dict[str, Value | _Unfit]

    def value_of(self, text: Text) -> Value:
        """Raises Misfit."""
        if text is None or text == "":
            return None
        if self.field.type == "string":
            return text[1:-1] if _is_marked(text) and len(text) > 1 else text
        meant = (self._known if text in self._known else self.read([text]))[text]
        if isinstance(meant, _Unfit):
            raise Misfit(meant.why)
        return meant

    def read(self, texts: Iterable[Text]) -> Mapping[str, Value | _Unfit]:
        """Read texts ahead, all at once: one by one takes a hundred times as long. Returns what is known."""
        if len(self._known) > _KEPT:
            self._known = {}
        known = self._known
        if self.field.type != "string" and (
            fresh := {text: text.strip() for text in texts if text and text not in known}
        ):
            known.update(self._meanings(fresh))
        return known

    def _meanings(self, trimmed: Mapping[str, str]) -> dict[str, Value | _Unfit]:
        values = _values({text for text in trimmed.values() if is_storable(text)}, self.field)
        values.update(dict.fromkeys(("", "null", *self.missing)))
        return {text: values[bare] if bare in values else _unfit(text, self.field) for text, bare in trimmed.items()}


def is_storable(text: str) -> bool:
    """Whether a text can be written as UTF-8: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True)
class _Unfit:
    """In place of a value: why a text is none."""

    why: str


@lru_cache(maxsize=64)
def _reading(type: str, format: str, utc: bool, missing: tuple[str, ...]) -> Reading:
    return Reading(Field("", type, format=format, utc=utc), missing, {})


def _unfit(text: str, field: Field) -> _Unfit:
    return _Unfit(f"{shown(text)} is not {EXPECTED[field.type]}: {_way_out(text.strip(), field)}")


def _is_marked(text: str) -> bool:
    return len(text) != 1 and _MARKS.fullmatch(text) is not None


def _values(texts: Iterable[str], field: Field) -> dict[str, Value]:
    """The texts that are values as files are read, dates and times also in the form in which they are shown."""
    found: dict[str, Value] = {}
    for each in (field, replace(field, format=DEFAULT)) if field.format != DEFAULT else (field,):
        left = [text for text in texts if text not in found]
        cells, _ = read_as(pa.chunked_array([pa.array(left, pa.string())]), each)
        found.update((text, value) for text, value in zip(left, cells.to_pylist(), strict=True) if value is not None)
    return found


def _way_out(text: str, field: Field) -> str:
    if field.type in ("integer", "number"):
        return _number_way_out(text, field)
    if field.type == "boolean":
        return "write True or False"
    return f"write it like {_example(field)}"


def _number_way_out(text: str, field: Field) -> str:
    if _COMMA.fullmatch(text):
        return f"it has a comma. Write a point before decimals{_example_of(text)}, nothing between thousands"
    if _SEPARATED.fullmatch(text):
        return "write it without separators between the thousands"
    if _DASHES.match(text):
        return "it begins with a dash; write the minus sign of the keyboard (-)"
    if field.type == "integer" and re.fullmatch(r"[+-]?\d*\.\d+", text):
        return "this column has no decimals"
    if _is_huge(text):
        return "it is too large to be stored"
    return "write digits only, with a point for decimals" if field.type == "number" else "write digits only"


def _example_of(text: str) -> str:
    """The text with a point instead of its one comma: an example, not a guess."""
    return f" ({text.replace(',', '.')})" if re.fullmatch(r"[+-]?\d+,\d+", text) else ""


def _is_huge(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?", text) is not None


def _example(field: Field) -> str:
    if field.format != DEFAULT:
        return f"{field.format} (the form in this dataset's contract)"
    if field.type == "date":
        return str(date(2024, 5, 4))
    return f"2024-05-04 18:03:09{'Z' if field.utc else ''}"


def unit_text(unit: str | None) -> str:
    """A unit as people read it: `m^3` as m³, `degrees_north` as °N."""
    named = {"degrees_north": "°N", "degrees_east": "°E", "degree_north": "°N", "degree_east": "°E", "degrees": "°"}
    if not unit or unit in named:
        return named.get(unit or "", "")
    return re.sub(r"\^(-?\d)", lambda power: power[1].translate(_RAISED), unit)


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
