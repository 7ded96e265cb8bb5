"""What the columns of a contract are about, as far as names, units and types tell: positions, ranges, times,
categories, numbers. Nothing is looked up in a list of known datasets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations

import pyarrow as pa
import pyarrow.compute as pc

from towline.contract import Contract
from towline.rules.cross import DatetimeText
from towline.rules.field import Field
from towline.rules.times import TimeFormat

FEW = 30  # distinct values that a column of categories has at most

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# Units of the CF conventions (section 4.1, 4.2).
_NORTH = {"degrees_north", "degree_north", "degree_n", "degrees_n", "degreen", "degreesn"}
_EAST = {"degrees_east", "degree_east", "degree_e", "degrees_e", "degreee", "degreese"}
_LATITUDE, _LONGITUDE = {"lat", "latitude"}, {"lon", "long", "lng", "longitude"}
_OF_POSITIONS = {"decimal", "deg", "degrees", "dd"}  # words that say nothing about which position it is
_LENGTHS = {"m", "km", "cm", "mm", "ft", "fathom", "fathoms", "metre", "metres", "meter", "meters", "feet"}
_DEPTH = {"depth", "depths"}
_ENDS = (
    ("min", "max"),
    ("minimum", "maximum"),
    ("least", "greatest"),
    ("low", "high"),
    ("from", "to"),
    ("shallowest", "deepest"),
    ("upper", "lower"),  # of depths; of everything else the lower end is the lower one, see _ends
    ("top", "bottom"),
)

Pair = tuple[str, str]


def words(name: str) -> tuple[str, ...]:
    """`minDepth_2` -> `min`, `depth`, `2`."""
    return tuple(word.lower() for word in _WORD.findall(name))


def known(contract: Contract, table: pa.Table) -> tuple[Field, ...]:
    """The fields whose columns a table has with their type: an older commit may lack some."""
    types = {column.name: column.type for column in table.schema}
    return tuple(field for field in contract.fields if types.get(field.name) == field.arrow)


def is_number(field: Field) -> bool:
    return field.type in ("number", "integer")


def positions(fields: Iterable[Field]) -> tuple[Pair, ...]:
    """Pairs of latitude and longitude. Those whose names are alike belong together (`start_lat`, `start_lon`); a
    dataset with one of each needs no likeness."""
    numbers = [field for field in fields if is_number(field)]
    north = [field for field in numbers if _is(field, _NORTH, _LATITUDE)]
    east = [field for field in numbers if _is(field, _EAST, _LONGITUDE)]
    if len(north) == len(east) == 1:
        return ((north[0].name, east[0].name),)
    of = {_rest(field, _LONGITUDE): field.name for field in reversed(east)}
    return tuple((field.name, of[rest]) for field in north if (rest := _rest(field, _LATITUDE)) in of)


def _is(field: Field, units: set[str], names: set[str]) -> bool:
    return (field.unit or "").lower() in units or bool(names & set(words(field.name)))


def _rest(field: Field, names: set[str]) -> tuple[str, ...]:
    return tuple(word for word in words(field.name) if word not in names | _OF_POSITIONS)


def ranges(fields: Iterable[Field]) -> tuple[Pair, ...]:
    """Pairs of numbers that are the two ends of one thing, such as `min_depth` and `max_depth`: low end, high end. A
    depth that stands alone is a range from itself to itself."""
    numbers = [field for field in fields if is_number(field)]
    pairs = tuple((low.name, high.name) for low, high in permutations(numbers, 2) if _is_range(low, high))
    taken = {name for pair in pairs for name in pair}
    alone = (field for field in numbers if field.name not in taken and is_depth(field) and field.unit)
    return pairs + tuple((field.name, field.name) for field in alone)


def _is_range(low: Field, high: Field) -> bool:
    if low.unit != high.unit:
        return False
    of_low, of_high = words(low.name), words(high.name)
    return any(
        a in of_low and tuple(b if word == a else word for word in of_low) == of_high for a, b in _ends(is_depth(low))
    )


def _ends(is_depth: bool) -> Iterator[Pair]:
    return ((a, b) if is_depth or a not in ("upper", "top") else (b, a) for a, b in _ENDS)


def is_depth(field: Field) -> bool:
    """Whether it counts from the surface down."""
    return bool(_DEPTH & set(words(field.name))) and (field.unit is None or field.unit.lower() in _LENGTHS)


def times(contract: Contract, fields: Iterable[Field]) -> Mapping[str, TimeFormat | None]:
    """Columns of dates and times; those of text, which a check of the contract reads as times, with their format."""
    texts = {check.column: check.format for check in contract.checks if isinstance(check, DatetimeText)}
    names = (field.name for field in fields if field.type in ("date", "datetime") or field.name in texts)
    return {name: texts.get(name) for name in names}


def categories(fields: Sequence[Field], table: pa.Table, *, but: Iterable[str] = ()) -> tuple[str, ...]:
    """Columns that sort rows into a few groups: booleans, enumerations, texts and whole numbers of few distinct values
    that come again and again. A text that is always the same tells nothing apart."""
    left = set(but)
    return tuple(field.name for field in fields if field.name not in left and _is_category(field, table[field.name]))


def _is_category(field: Field, column: pa.ChunkedArray) -> bool:
    if field.type == "boolean" or field.constraints.enum is not None:
        return True
    if field.type not in ("string", "integer"):
        return False
    distinct, held = pc.count_distinct(column).as_py(), len(column) - column.null_count
    return bool(1 < distinct <= FEW and 2 * distinct <= held)
