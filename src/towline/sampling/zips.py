"""ZIP archives: what they list, and one entry of them unpacked within bounds.

A directory is a list of claims. Entries may claim the same bytes, so that kilobytes unpack to terabytes; fewer bytes
than they unpack to; and names that lead elsewhere. So nothing is unpacked where entries overlap; what is unpacked is
measured as it comes; and a name is never a path.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from zipfile import ZipInfo

from towline.errors import UnreadableFile
from towline.parquet.source import AsFile
from towline.sampling import rows as rows_of
from towline.sampling.bounds import LISTED_MAX, SMALL, UNPACKED_MAX
from towline.sampling.kinds import HEAD, PARQUET, TEXTS, UNKNOWN, XLSX, kind_of
from towline.sampling.listing import is_safe, lines, own_name, printable
from towline.sampling.streams import RAW_DEFLATE, Bounded, Plain, Stream, Unpacked

MANIFEST = "_manifest.txt"
_HEADER = struct.Struct("<4s22xHH")  # of an entry: magic, lengths of its name and of what follows that
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x1
_TRIED = 20  # entries that are tried until one can be put into a sample
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a ZIP can tell
# What zipfile raises for a directory that is none.
_BROKEN = (
    zipfile.BadZipFile,
    ValueError,
    NotImplementedError,
    OverflowError,
    EOFError,
    OSError,
    struct.error,
    LookupError,
)


def look(source: Bounded, name: str) -> Sequence[str]:
    if all(_is_folder(entry) for entry in directory(source)):
        raise UnreadableFile("the archive holds no file")
    return ()


def directory(source: Bounded) -> list[ZipInfo]:
    """The entries, as they are listed. UnreadableFile: there is no directory. Spent: it is too long to be read."""
    try:
        with zipfile.ZipFile(_File(source.size, lambda start, stop: source.read([(start, stop)])[0])) as archive:
            return archive.infolist()
    except UnreadableFile:
        raise
    except _BROKEN as error:
        raise UnreadableFile(f"the archive is damaged: {error}") from None


def opened(source: Bounded, entry: ZipInfo, most: int = UNPACKED_MAX) -> Stream:
    """What an entry holds, at most `most` bytes of it. UnreadableFile: it is encrypted, packed in another way, or not
    where it is said to be."""
    if entry.flag_bits & _ENCRYPTED:
        raise UnreadableFile(f"{printable(entry.filename)} is encrypted")
    at = entry.header_offset
    if not 0 <= at <= source.size - _HEADER.size:
        raise UnreadableFile(f"{printable(entry.filename)} lies outside of the archive")
    magic, name, extra = _HEADER.unpack(source.read([(at, at + _HEADER.size)])[0])
    start = at + _HEADER.size + name + extra
    stop = start + entry.compress_size
    if magic != b"PK\x03\x04" or stop > source.size:
        raise UnreadableFile(f"{printable(entry.filename)} is not where the directory says")
    if entry.compress_type == _STORED:
        return Plain(source, start, stop)
    if entry.compress_type == _DEFLATED:
        return Unpacked(Plain(source, start, stop), most, RAW_DEFLATE)
    raise UnreadableFile(f"{printable(entry.filename)} is packed by method {entry.compress_type}; 0 and 8 are unpacked")


def overlapping(entries: Sequence[ZipInfo]) -> ZipInfo | None:
    """An entry that begins before the one before it ends; None: each has bytes of its own."""
    placed = sorted(entries, key=lambda entry: entry.header_offset)
    for one, other in pairwise(placed):
        if one.header_offset + _HEADER.size + one.compress_size > other.header_offset:
            return other
    return None


def sample(source: Bounded, rows: int) -> tuple[bytes, int]:
    """An archive of what is listed, and of the first entry that is a small file, or rows of which the first are
    taken; and how many entries there are."""
    entries = directory(source)
    shared = overlapping(entries)
    notes = [f"{len(entries):,} entries in all"] if len(entries) > LISTED_MAX else []
    if shared:
        notes.append(f"{printable(shared.filename)} shares bytes with another entry: nothing was unpacked")
    found = None if shared else _first(source, entries, rows)
    files = [(MANIFEST, lines([_COLUMNS, *map(_row, entries[:LISTED_MAX])], notes))]
    return written([*files, *([found] if found else [])]), len(entries)


def written(files: Sequence[tuple[str, bytes]]) -> bytes:
    """An archive of these files; the same bytes every time."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files:
            entry = ZipInfo(name, _EPOCH)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, 0o600 << 16, 3
            archive.writestr(entry, body)
    return sink.getvalue()


class _File(AsFile):
    """A file that cannot be left at its front: zipfile looks there for what small archives do not have, and for a
    directory that lies."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        before = self.tell()
        if super().seek(offset, whence) < 0:
            super().seek(before)
            raise OSError("a place before the file")
        return self.tell()


_COLUMNS = ("size", "packed", "modified", "crc32", "name", "note")


def _row(entry: ZipInfo) -> Sequence[str]:
    year, month, day, hour, minute, second = entry.date_time
    modified = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
    sizes = (str(entry.file_size), str(entry.compress_size))
    return (*sizes, modified, f"{entry.CRC:08x}", printable(entry.filename), ", ".join(_notes(entry)))


def _notes(entry: ZipInfo) -> Iterator[str]:
    if entry.flag_bits & _ENCRYPTED:
        yield "encrypted"
    if not is_safe(entry.filename):
        yield "its name leads elsewhere"
    if not _is_folder(entry) and not _is_file(entry):
        yield "no regular file"


def _is_folder(entry: ZipInfo) -> bool:
    """Whether it is one, or has no name at all."""
    return not entry.filename or entry.filename.endswith("/")


def _is_file(entry: ZipInfo) -> bool:
    """Whether it is a regular file, as far as it tells: archives of Windows do not."""
    return not _is_folder(entry) and stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG)


def _first(source: Bounded, entries: Sequence[ZipInfo], rows: int) -> tuple[str, bytes] | None:
    """The first entry that can be shown: its name and what is shown of it."""
    fit = [entry for entry in entries if _is_file(entry) and is_safe(entry.filename)]
    for entry in fit[:_TRIED]:
        with suppress(UnreadableFile):
            if body := _shown(source, entry, rows):
                name = own_name(entry.filename)
                return (f"_{name}" if name == MANIFEST else name), body
    return None


def _shown(source: Bounded, entry: ZipInfo, rows: int) -> bytes | None:
    """The first rows of an entry; all of a small one that has none. None: an archive, or too large."""
    kind = kind_of(entry.filename, opened(source, entry).read(HEAD))
    if kind in TEXTS:
        return rows_of.first(opened(source, entry), kind, rows).body
    if kind not in (PARQUET, XLSX, UNKNOWN) or entry.file_size > SMALL:
        return None
    body = opened(source, entry).read(SMALL + 1)
    return body if len(body) == entry.file_size else None
