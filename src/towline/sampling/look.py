"""A first, cheap look at a raw file: what it is, whether it can be read, its columns, and whether it has a row.

No more than LOOK_MAX bytes are read, so most of a large file is not looked at: that it passes says that its beginning
is sound (of a Parquet file and a workbook: that its directory is). What the values are is no matter here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from towline.errors import Corrupt, UnreadableFile
from towline.parquet import sound
from towline.parquet.source import Source
from towline.sampling import delimited, jsons, rows, tars, workbook, zips
from towline.sampling.bounds import COLUMNS_MAX, LOOK_MAX, NAMES_MAX, UNPACKED_MAX
from towline.sampling.kinds import (
    CSV,
    GZ,
    HEAD,
    JSONL,
    PACKED,
    PARQUET,
    TAR,
    TAR_GZ,
    TEXTS,
    TSV,
    UNKNOWN,
    XLSX,
    ZIP,
    kind_of,
    media_type,
    promised,
)
from towline.sampling.streams import Bounded, Plain, Spent, Stream, Unpacked
from towline.sampling.text import View, unpaired

_ROWS = 10  # that are looked at, where so many are near the beginning


@dataclass(frozen=True)
class Look:
    """What was found. `columns`: of a table; of JSON the names in its first record; none where there are none to be
    told cheaply. `problems`: why it cannot be read, a sentence each. `whole`: its bytes, where all were read."""

    kind: str
    columns: tuple[str, ...]
    problems: tuple[str, ...]
    whole: bytes | None


def look(source: Source, name: str) -> Look:
    """Look at a file. Raises only what `source` does."""
    bounded = Bounded(source, LOOK_MAX)
    kind = kind_of(name, bounded.head[:HEAD])
    whole = bounded.head if bounded.is_whole else None
    try:
        columns = _columns(bounded, name, kind)
    except Spent:  # a directory or a footer that is longer than what is read here: nothing speaks against the file
        return Look(kind, (), (), whole)
    except (UnreadableFile, Corrupt) as error:
        return Look(kind, (), (str(error),), whole)
    return Look(kind, tuple(map(unpaired, columns)), tuple(_amiss(columns)), whole)


def _columns(source: Bounded, name: str, kind: str) -> Sequence[str]:
    """The names of the columns. UnreadableFile, Corrupt: what is wrong with the file."""
    if not source.size:
        raise UnreadableFile("it is empty (0 bytes)")
    if kind in TEXTS:
        return _text(Plain(source), kind, source.head if source.is_whole else b"")
    if kind in PACKED:
        stream = Unpacked(Plain(source), UNPACKED_MAX)
        names = _text(stream, PACKED[kind])
        _drain(stream, source)
        return names
    return _OTHERS[kind](source, name)


def _text(stream: Stream, kind: str, whole: bytes = b"") -> Sequence[str]:
    """The columns of a table of text; `whole`: all of it, where that is at hand."""
    found = rows.first(stream, kind, _ROWS)
    if kind in (CSV, TSV):
        names, count = delimited.header(whole or found.body, "\t" if kind == TSV else ""), found.count
    elif kind == JSONL:
        names, count = _of_line(found.body), found.count
    else:
        names, count = jsons.names(whole or found.body)
    if not count:
        raise UnreadableFile(f"it has no rows{', only a header' if names else ''}")
    return names


def _of_line(body: bytes) -> list[str]:
    """The names in the first line of JSON lines."""
    if not (line := View(body).first_line()):
        return []
    found = jsons.parse(line)
    return list(found) if isinstance(found, dict) else []


def _drain(stream: Stream, source: Bounded) -> None:
    """Of what was read whole, unpack what may be unpacked: so a small file that is cut is told from a sound one."""
    with suppress(Spent):
        while source.is_whole and stream.read(HEAD):
            pass


def _parquet(source: Bounded, name: str) -> Sequence[str]:
    footer = sound.footer(source)
    if not footer.num_rows:
        raise UnreadableFile("it has no rows")
    return list(footer.schema.names)


def _gz(source: Bounded, name: str) -> Sequence[str]:
    stream = Unpacked(Plain(source), UNPACKED_MAX)
    if not stream.read(1):
        raise UnreadableFile("what is packed is empty")
    _drain(stream, source)
    return ()


def _unknown(source: Bounded, name: str) -> Sequence[str]:
    if kind := promised(name):
        media = media_type(source.head) or "none that is known"
        raise UnreadableFile(f"its name promises {kind}, and its first bytes say otherwise: its type is {media}")
    return ()


_OTHERS: dict[str, Callable[[Bounded, str], Sequence[str]]] = {
    PARQUET: _parquet,
    GZ: _gz,
    UNKNOWN: _unknown,
    XLSX: workbook.look,
    ZIP: zips.look,
    TAR: tars.look,
    TAR_GZ: tars.look_packed,
}


def _amiss(columns: Sequence[str]) -> list[str]:
    """What is wrong with names of columns, which the manifest is to keep."""
    if len(columns) > COLUMNS_MAX:
        return [f"it has {len(columns):,} columns; at most {COLUMNS_MAX:,} are taken"]
    if (size := sum(map(len, columns))) > NAMES_MAX:
        return [f"the names of its columns have {size:,} characters; at most {NAMES_MAX:,} are taken"]
    return [] if not columns or any(columns) else ["its header has no names"]
