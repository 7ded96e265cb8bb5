"""The first rows of a text file: which kind of text it is decides where a row ends.

A sample of text is made of bytes of the file, never of text that was read and written again: it has the encoding, the
line ends, the quotes and the mistakes of the file.
"""

from __future__ import annotations

from collections.abc import Callable

from towline.errors import UnreadableFile
from towline.sampling import delimited, jsons
from towline.sampling.kinds import CSV, JSON, JSONL, TSV
from towline.sampling.streams import Beginning, Stream, beginnings
from towline.sampling.text import Rows

Cut = Callable[[Beginning, int], Rows | None]

_CUTS: dict[str, Cut] = {
    CSV: delimited.cut,
    TSV: delimited.cut_tabs,
    JSONL: delimited.cut_lines,
    JSON: jsons.cut,
}


def first(stream: Stream, kind: str, rows: int) -> Rows:
    """The first rows, as many as were asked for or as can be had within the stream's bounds. UnreadableFile: not one of
    them is whole within these, or it is no such file."""
    cut = _CUTS[kind]
    for beginning in beginnings(stream):
        found = cut(beginning, rows)
        if found is not None:
            return found
    raise UnreadableFile(f"not one row is whole within the first {len(beginning.body):,} bytes")
