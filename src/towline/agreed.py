"""The columns that the parts of a table agree on, where no contract says what they are."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from towline.errors import ContractError, UnreadableFile
from towline.infer import type_of
from towline.parts import Parts
from towline.ranged import Ranged
from towline.rules.field import Field
from towline.store import Entry, ObjectStore

Kinds = dict[str, str]  # what each column holds, in the order of the columns; empty while there are only nulls
_IN_UTC = "datetime in UTC"


def agreed(store: ObjectStore, parts: Parts) -> tuple[Field, ...]:
    """A field for each column, in the order of the first part that has rows; whole numbers in one part and numbers in
    another are numbers. Only the footers are read.

    UnreadableFile, naming the part: it has other columns than the parts before it, or a type that goes with none.
    """
    read = [(entry.key, *_footer(store, entry)) for entry in parts.entries]
    telling = [(part, schema) for part, rows, schema in read if rows] or [(part, schema) for part, _, schema in read]
    found: Kinds | None = None
    for part, schema in telling:
        kinds = {field.name: _kind(field, part) for field in schema}
        found = kinds if found is None else _joined(found, kinds, part)
    return tuple(_field(name, kind) for name, kind in (found or {}).items())


def _footer(store: ObjectStore, entry: Entry) -> tuple[int, pa.Schema]:
    """How many rows a part says it has, and its schema."""
    try:
        with pq.ParquetFile(Ranged(store, entry)) as file:
            return file.metadata.num_rows, file.schema_arrow
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableFile(f"{entry.key} is no Parquet file, or a damaged one: {error}") from None


def _kind(field: pa.Field, part: str) -> str:
    type = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_null(type):
        return ""
    try:
        return _IN_UTC if getattr(type, "tz", None) else type_of(field.name, type)
    except ContractError as error:
        raise UnreadableFile(f"{part}: {error}") from None


def _joined(one: Kinds, other: Kinds, part: str) -> Kinds:
    if differing := sorted(one.keys() ^ other.keys()):
        how = "has" if differing[0] in other else "lacks"
        raise UnreadableFile(f"{part} {how} the column {differing[0]}, other than the parts before it")
    return {name: _either(name, kind, other[name], part) for name, kind in one.items()}


def _either(name: str, one: str, other: str, part: str) -> str:
    if one == other or not other:
        return one
    if not one:
        return other
    if {one, other} == {"integer", "number"}:
        return "number"
    raise UnreadableFile(f"{part}: column {name} holds the type {other}, and {one} in the parts before it")


def _field(name: str, kind: str) -> Field:
    return Field(name, "datetime", utc=True) if kind == _IN_UTC else Field(name, kind or "string")
