"""TAR archives, packed or not: what they list. Nothing in them is unpacked, and no name or link is followed."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from tarfile import TarInfo

from towline.errors import UnreadableFile
from towline.sampling.bounds import LISTED_MAX, SKIPPED_MAX
from towline.sampling.listing import is_safe, lines, printable
from towline.sampling.streams import Bounded, Plain, Stream, Unpacked

_BLOCK = 512
_LONG_MAX = 64 * 1024  # bytes of a name, or of other words on a file, that are read
_TYPES = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.GNUTYPE_SPARSE: "sparse file",
    tarfile.DIRTYPE: "directory",
    tarfile.SYMTYPE: "symbolic link",
    tarfile.LNKTYPE: "hard link",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
    tarfile.FIFOTYPE: "pipe",
}
_BODILESS = {tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE}
_PAX = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE}


@dataclass(frozen=True)
class Member:
    """A file, directory, link or device, as the archive tells of it. `mtime`: seconds since 1970."""

    name: str
    type: str
    size: int
    mtime: float
    link: str = ""


def look(source: Bounded, name: str) -> Sequence[str]:
    return _look(Plain(source))


def look_packed(source: Bounded, name: str) -> Sequence[str]:
    return _look(Unpacked(Plain(source), SKIPPED_MAX))


def sample(source: Bounded, *, packed: bool) -> tuple[bytes, int]:
    """A listing of the archive, as far as it can be read within bounds, and how many members it names. UnreadableFile:
    not one of them can be read."""
    stream: Stream = Unpacked(Plain(source), SKIPPED_MAX) if packed else Plain(source)
    found: list[Member] = []
    notes: list[str] = []
    try:
        for member in members(stream):
            if len(found) == LISTED_MAX:
                notes.append(f"more than {LISTED_MAX:,} members: the others are not listed")
                break
            found.append(member)
    except UnreadableFile as error:
        if not found:
            raise
        notes.append(f"the listing ends here: {error}")
    return lines([_COLUMNS, *map(_row, found)], notes), len(found)


def members(stream: Stream) -> Iterator[Member]:
    """One after the other; their contents are passed over. UnreadableFile: what follows is no member."""
    said: dict[str, str] = {}
    while True:
        block = stream.read(_BLOCK)
        if not block:
            raise UnreadableFile("the archive ends without its mark: it is cut")
        if block == bytes(_BLOCK):
            return
        header = _header(block)
        size = int(said.get("size", header.size)) if said.get("size", "0").isdecimal() else header.size
        if header.type in _PAX | {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE}:
            said |= _said(header, _words(stream, header.size))
            continue
        yield _member(header, said, size)
        said = {}
        if header.type not in _BODILESS:
            _pass_sparse(stream, block, header)
            stream.skip(_blocks(size))


def _look(stream: Stream) -> Sequence[str]:
    if next(members(stream), None) is None:
        raise UnreadableFile("the archive holds no file")
    return ()


def _header(block: bytes) -> TarInfo:
    try:
        header = TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError, OverflowError) as error:
        raise UnreadableFile(f"the archive is damaged: {error}") from None
    if header.size < 0:
        raise UnreadableFile("the archive is damaged: a member of fewer than 0 bytes")
    return header


def _words(stream: Stream, size: int) -> bytes:
    """What stands before a member and tells of it."""
    if size > _LONG_MAX:
        raise UnreadableFile(f"{size:,} bytes tell of a member; at most {_LONG_MAX:,} are read")
    body = stream.read(_blocks(size))
    if len(body) < size:
        raise UnreadableFile("the archive ends in the middle of a name: it is cut")
    return body[:size]


def _said(header: TarInfo, body: bytes) -> dict[str, str]:
    """Name, link and size of the next member, where they do not fit into its own header."""
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": _text(body)}
    if header.type == tarfile.GNUTYPE_LONGLINK:
        return {"linkpath": _text(body)}
    found: dict[str, str] = {}
    while body and header.type in _PAX:
        length, _, rest = body.partition(b" ")
        size = int(length) if length.isdigit() and len(length) < 10 else 0
        if not len(length) < size <= len(body):
            raise UnreadableFile("the archive is damaged: what tells of a member is none of its words")
        name, _, value = rest[: size - len(length) - 1].rstrip(b"\n").partition(b"=")
        if name in (b"path", b"linkpath", b"size"):
            found[name.decode()] = _text(value)
        body = body[size:]
    return found


def _text(body: bytes) -> str:
    return body.rstrip(b"\0").decode("utf-8", "surrogateescape")


def _member(header: TarInfo, said: dict[str, str], size: int) -> Member:
    kind = _TYPES.get(header.type, "unknown")
    return Member(said.get("path", header.name), kind, size, header.mtime, said.get("linkpath", header.linkname))


def _pass_sparse(stream: Stream, block: bytes, header: TarInfo) -> None:
    """Old GNU sparse files tell of their holes in further blocks."""
    if header.type != tarfile.GNUTYPE_SPARSE:
        return
    is_extended = block[482]
    while is_extended:
        block = stream.read(_BLOCK)
        is_extended = len(block) == _BLOCK and block[504]


def _blocks(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


_COLUMNS = ("type", "size", "modified", "name", "link to", "note")


def _row(member: Member) -> Sequence[str]:
    notes = [] if is_safe(member.name) else ["its name leads elsewhere"]
    if member.link and not is_safe(member.link):
        notes.append("its link leads elsewhere")
    own = (member.type, str(member.size), _moment(member.mtime), printable(member.name), printable(member.link))
    return (*own, ", ".join(notes))


def _moment(mtime: float) -> str:
    try:
        return f"{datetime.fromtimestamp(mtime, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return "?"
