"""The object store as Towline sees it: a small port, and the values and bounds that every store shares.

`towline.memory.MemoryStore` and `towline.aws.s3.S3Store` implement it and pass one behaviour suite
(tests/store). The store is versioned: a write or a delete adds a version, nothing is overwritten. Every
method fails in the same ways, whatever is underneath:

    UsageError           the request breaks a bound of S3 (below, or found by S3 itself); nothing was tried
    NotFound             404: no such object or version, or a delete marker is current
    PreconditionFailed   412: the current object is not what the write expected
    Contended            409: another write or delete of the key interfered
    Refused              401, 403, 501: a policy, a permission or missing credentials
    Unavailable          no connection; a read that broke off; 507, no room. Nothing changed
    OutcomeUnknown       a write went out and no clear answer came: it may have happened, or may happen yet

PreconditionFailed may come of our own success: a client that retries a write whose answer was lost is told
412 because of its own first try. OutcomeUnknown is no failure. After both, and after Contended, look at the
object (its metadata tells whose it is) before deciding anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import quote, unquote

from towline.errors import EXIT_VIOLATIONS, NotFound, TowlineError, UsageError

# S3's limits ("Amazon S3 multipart upload limits", "Working with object metadata", "Naming objects"). Bytes.
MIB, GIB = 1024**2, 1024**3
PART_MIN, PART_MAX, PARTS_MAX = 5 * MIB, 5 * GIB, 10_000
KEY_MAX, METADATA_MAX = 1024, 2048


class TooLarge(TowlineError):
    """An object was not read because it exceeds what the reader allows. `size` and `limit` are bytes."""

    kind: ClassVar[str] = "too_large"
    exit_code: ClassVar[int] = EXIT_VIOLATIONS

    def __init__(self, key: str, size: int, limit: int) -> None:
        super().__init__(f"{key!r} has {size:,} bytes to read, and at most {limit:,} are read here: shrink it")
        self.size, self.limit = size, limit


@dataclass(frozen=True)
class Always:
    """Write whatever is there."""


@dataclass(frozen=True)
class Absent:
    """Write only where no current object exists (`If-None-Match: *`)."""


@dataclass(frozen=True)
class Matches:
    """Write only over the object with this ETag (`If-Match`); NotFound when there is none."""

    etag: str


Precondition = Always | Absent | Matches
ALWAYS, ABSENT = Always(), Absent()
Metadata = Mapping[str, str]
Span = tuple[int, int]  # bytes from the first up to, not including, the second


@dataclass(frozen=True)
class Stat:
    """What is known of one version without its body.

    `size` is bytes of the whole object, also beside a span of it; `etag` is unquoted and no content hash;
    `version` is None in a bucket without versioning; `modified` is UTC, after a put or an assemble the moment
    of the answer, which a later head may contradict by a second or two.
    """

    key: str
    size: int
    etag: str
    version: str | None
    modified: datetime
    metadata: Metadata


@dataclass(frozen=True)
class Blob:
    stat: Stat
    body: bytes


@dataclass(frozen=True)
class CopyRange:
    """Bytes `start` up to, not including, `stop` of a version (None: the current one)."""

    key: str
    version: str | None
    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class FileRange:
    """Bytes `start` up to, not including, `stop` of a file on this machine, read when they are sent."""

    path: Path
    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start

    def read(self) -> bytes:
        """The bytes; UsageError where the file has become shorter."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            body = file.read(self.size)
        if len(body) < self.size:
            raise UsageError(f"range {self.start}..{self.stop} ends past {self.path}: it was cut while it was sent")
        return body


Part = bytes | CopyRange | FileRange


@dataclass(frozen=True)
class Entry:
    """One current object in a listing."""

    key: str
    size: int
    etag: str
    modified: datetime

    def is_between(self, since: datetime | None, until: datetime | None) -> bool:
        """Whether it was written from `since` (None: ever) up to `until` (None: now)."""
        return (since is None or self.modified >= since) and (until is None or self.modified <= until)


@dataclass(frozen=True)
class Version:
    """One version in a key's history. A delete marker has size 0 and an empty ETag."""

    key: str
    version: str
    etag: str
    size: int
    modified: datetime
    is_latest: bool
    is_delete_marker: bool


@dataclass(frozen=True)
class Unfinished:
    """An object that was to be assembled, and is not: its parts take room, and nobody sees them. `upload` is its id."""

    key: str
    upload: str
    begun: datetime


class ObjectStore(Protocol):
    """A versioned bucket. Keys are any text of 1 to 1024 bytes in UTF-8. Safe to share between threads.

    Every method may raise Unavailable, Refused and, for a key no store can hold, UsageError; the docstrings
    name what comes on top. Writes (put, copy, assemble, delete) may raise OutcomeUnknown.
    """

    def get(
        self,
        key: str,
        *,
        version: str | None = None,
        span: Span | None = None,
        tail: int | None = None,
        max_bytes: int | None = None,
    ) -> Blob:
        """The object, or the bytes `span[0]` up to, not including, `span[1]` of it, cut off at its end; or its last
        `tail` bytes, all of it where it has no more.

        NotFound: no such object or version, or it is a delete marker. UsageError: an empty span, or one that
        begins at or after the object's end. TooLarge: the answer would exceed `max_bytes`; its body was not
        read. Corrupt: the bytes do not match the checksum stored with them.
        """
        ...

    def ranges(self, key: str, spans: Sequence[Span], *, version: str | None = None) -> list[bytes]:
        """The bytes of several spans, all inside the object, as by `get`: side by side where that is quicker."""
        return [self.get(key, version=version, span=span).body for span in spans]

    def head(self, key: str, *, version: str | None = None) -> Stat:
        """What is known of the object without reading it. NotFound as in `get`."""
        ...

    def put(
        self,
        key: str,
        body: bytes,
        *,
        when: Precondition = ALWAYS,
        metadata: Metadata | None = None,
        content_type: str = "application/octet-stream",
    ) -> Stat:
        """Write one object and return the new version's Stat.

        PreconditionFailed or Contended: `when` did not hold (or did, at a first try whose answer was lost).
        NotFound: `Matches` of an object that is not there. UsageError: metadata that S3 cannot carry.
        """
        ...

    def copy(
        self,
        source: str,
        target: str,
        *,
        version: str | None = None,
        when: Precondition = ALWAYS,
        metadata: Metadata | None = None,
    ) -> Stat:
        """Copy a version (None: the current one) inside the store, content type included. The target has this
        `metadata`; None: the source's.

        Returns the target's Stat; its ETag may differ from the source's. NotFound: no such source, or
        `Matches` of a target that is not there. PreconditionFailed, Contended: the target's, as in `put`.
        UsageError: metadata that S3 cannot carry.
        """
        ...

    def assemble(
        self,
        key: str,
        parts: Iterable[Part],
        *,
        when: Precondition = ALWAYS,
        metadata: Metadata | None = None,
    ) -> Stat:
        """Write one object from bytes, ranges of other versions and of files; it appears whole, or not at all.

        Parts that are made as they are drawn are sent while the next are made. What making one raises is raised.

        UsageError: a part under 5 MiB that is not the last, or over 5 GiB; an empty range, or one beyond its
        source's end; no part, or over 10,000. NotFound: a source, or `Matches` of a target that is not there.
        `when` is checked at the end: PreconditionFailed and Contended come after all the work. S3 documents
        that ranges can be copied only from objects over 5 MiB: send what comes from smaller ones as bytes.
        """
        ...

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        """What was begun to be assembled under `prefix`, and neither ended nor given up: whoever did it is still at
        work, or dead. Fetched page by page, as `list` is."""
        ...

    def give_up(self, unfinished: Unfinished) -> None:
        """Drop the parts; where it was ended or given up since, nothing. Who is still at work on it gets
        Unavailable."""
        ...

    def list(self, prefix: str, *, after: str | None = None) -> Iterator[Entry]:
        """Current objects whose keys begin with `prefix` and come after `after`, in the order of their UTF-8.

        Fetched page by page while it is consumed, which is when failures are raised.
        """
        ...

    def versions(self, key: str, *, newest: int | None = None) -> Iterator[Version]:
        """Every version of exactly this key, delete markers included, newest first; nothing if it never was.

        Fetched page by page, as `list` is. `newest`: no more than so many.
        """
        ...

    def delete(self, key: str) -> None:
        """Put a delete marker on top, whether or not there is an object. The versions below it stay."""
        ...


def folders(store: ObjectStore, prefix: str) -> Iterator[str]:
    """What comes between `prefix` and the next slash in keys, each once: a request each, however many keys it has."""
    after: str | None = None
    while (entry := next(iter(store.list(prefix, after=after)), None)) is not None:
        name, slash, _ = entry.key.removeprefix(prefix).partition("/")
        if slash:
            yield name
        after = f"{prefix}{name}0" if slash else entry.key  # `0` is what comes after `/`


def stat_of(store: ObjectStore, key: str, *, version: str | None = None) -> Stat | None:
    """What is known of an object or a version of it; None: there is none."""
    try:
        return store.head(key, version=version)
    except NotFound:
        return None


def check_key(key: str) -> str:
    """Return `key`, or raise UsageError where S3 could not hold it."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise UsageError(f"{key!r} cannot be a key: it is no valid Unicode text") from None
    if not 1 <= size <= KEY_MAX:
        raise UsageError(f"{key[:60]!r} cannot be a key: {size} bytes in UTF-8, expected 1 to {KEY_MAX}")
    return key


def check_span(span: Span) -> None:
    """UsageError unless 0 <= start < stop; HTTP cannot ask for an empty range."""
    if not 0 <= span[0] < span[1]:
        raise UsageError(f"span {span[0]}..{span[1]}: expected 0 <= start < stop")


def clip(span: Span | None, size: int, key: str, tail: int | None = None) -> tuple[int, int]:
    """The bytes of an object of `size` that `span` or `tail` (None: all) selects. UsageError: none of them."""
    if span is None:
        return 0 if tail is None else max(0, size - tail), size
    if span[0] >= size:
        raise UsageError(f"span {span[0]}..{span[1]} begins past the end of {key!r}, which has {size} bytes")
    return span[0], min(span[1], size)


def checked(parts: Iterable[Part]) -> Iterable[Part]:
    """The parts. UsageError where S3 would refuse them, which it does at the end: of a sequence at once, of others as
    they are drawn."""
    if not isinstance(parts, Sequence):
        return _checked(parts)
    return list(_checked(parts))


def _checked(parts: Iterable[Part]) -> Iterator[Part]:
    rest = iter(parts)
    part, number = next(rest, None), 0
    while part is not None:
        number, following = number + 1, next(rest, None)
        if number > PARTS_MAX:
            raise UsageError(f"more than {PARTS_MAX:,} parts, and S3 joins no more: join neighbours first")
        _check_part(number, part, PART_MIN if following is not None else 0)
        yield part
        part = following
    if not number:
        raise UsageError(f"no parts: S3 joins 1 to {PARTS_MAX:,}")


def size_of(part: Part) -> int:
    """Bytes."""
    return len(part) if isinstance(part, bytes) else part.size


def _check_part(number: int, part: Part, least: int) -> None:
    size = size_of(part)
    if isinstance(part, CopyRange):
        check_key(part.key)
        check_span((part.start, part.stop))
    if not least <= size <= PART_MAX:
        bounds = "S3 takes 5 MiB to 5 GiB a part, less only for the last"
        raise UsageError(f"part {number} has {size:,} bytes: {bounds}; join it with a neighbour or split it")


# Headers carry printable ASCII. Blanks are collapsed and stripped on the way, hence quoted where they touch
# each other or an end; "=?" would begin an RFC 2047 word; "%" is quoted so that the round trip is exact.
_FRAGILE = re.compile(r"[^!-$&-~ ]|^ | $| (?= )|(?<= ) |=(?=\?)")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


def quote_metadata(metadata: Metadata | None) -> dict[str, str]:
    """Metadata as S3 carries it: values percent-quoted where they must be.

    UsageError: a name S3 would change (it lower-cases them), or more than 2048 bytes in all once quoted.
    """
    quoted = {_name(name): _FRAGILE.sub(_quote, value) for name, value in (metadata or {}).items()}
    size = sum(len(name) + len(value) for name, value in quoted.items())
    if size > METADATA_MAX:
        names = ", ".join(quoted)
        raise UsageError(f"metadata {names}: {size:,} bytes once quoted, S3 keeps {METADATA_MAX:,}; shorten it")
    return quoted


def file_parts(path: Path, size: int = 16 * MIB) -> list[FileRange]:
    """The parts that make a file one object: of `size` bytes each, or of more where they would be too many."""
    total = path.stat().st_size
    size = max(size, -(-total // PARTS_MAX))
    return [FileRange(path, start, min(start + size, total)) for start in range(0, total, size)]


def unquote_metadata(metadata: Metadata) -> dict[str, str]:
    """The inverse of `quote_metadata`; values that others wrote change only where they hold %XX."""
    return {name: unquote(value) for name, value in metadata.items()}


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name metadata: use lower-case letters, digits, '.', '_' and '-'")
    return name


def _quote(match: re.Match[str]) -> str:
    try:
        return quote(match.group(), safe="")
    except UnicodeEncodeError:
        raise UsageError(f"metadata holds {match.group()!r}, which is not valid Unicode text") from None
