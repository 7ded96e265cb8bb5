"""Partitions: the values of some columns, and the name that rows with these values lie under.

    course_id=erinhills/event_date=2025-07-01

The name tells the values and the values the name, so that a file's place says what is in it. What could not be read
back from a key is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from towline import keys

NULL = "__HIVE_DEFAULT_PARTITION__"  # as Hive names it, and with it all engines
MAX_BYTES = 200  # of one value: some of them have to fit a key, which has 1,024


def values(partition: str) -> dict[str, str | None]:
    """`a=1/b=2` -> the texts of its values; None where they are null."""
    parts = [part.split("=", 1) for part in partition.split("/") if part]
    return {name: None if text == NULL else text for name, text in parts}


def unnamable(column: pa.Array) -> pa.Array:
    """A mask of the texts that cannot name a partition: empty ones, overlong ones, those with a slash or a break."""
    found = pc.unique(column)
    bad = [text for text in found.to_pylist() if text is not None and not _is_namable(text)]
    return pc.is_in(column, value_set=pa.array(bad, pa.string()))


def coded(table: pa.Table, columns: Sequence[str]) -> tuple[pa.Array, dict[int, str]]:
    """A number for each row's partition, and the names by these numbers."""
    codes, texts = pa.repeat(pa.scalar(0, pa.int64()), len(table)), []
    for name in columns:
        found = table.column(name).combine_chunks().dictionary_encode(null_encoding="encode")
        texts.append([_text(value) for value in found.dictionary.to_pylist()])
        codes = pc.add(pc.multiply(codes, len(texts[-1])), found.indices.cast(pa.int64()))
    return codes, {code: _name(code, columns, texts) for code in pc.unique(codes).to_pylist()}


def _name(code: int, columns: Sequence[str], texts: Sequence[Sequence[str]]) -> str:
    named: Mapping[str, str] = {}
    for column, known in reversed(list(zip(columns, texts, strict=True))):
        code, place = divmod(code, len(known))
        named = {column: known[place], **named}
    return keys.partition(named)


def _text(value: str | int | bool | date | None) -> str:
    if value is None:
        return NULL
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_namable(text: str) -> bool:
    return text == keys.segment(text) and text != NULL and len(text.encode()) <= MAX_BYTES
