"""The manifest's lines: what became of one raw file.

A raw file is one version of one object. Its ingest has an id that follows from it alone, so that the same version seen
twice is one ingest: the second it was written, and a digest of its key and bytes' fingerprint. The id of a file that
was tried again after its quarantine has `.<n>` behind it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import accumulate
from typing import Any

from towline.errors import Corrupt
from towline.store import Stat

BRONZE, DUPLICATE, QUARANTINED = "bronze", "duplicate", "quarantined"
STATUSES = (BRONZE, DUPLICATE, QUARANTINED)
_INGEST = re.compile(r"\d{8}T\d{6}-[0-9a-f]{12}(\.\d{1,6})?")
LINE_MAX = 1_000  # characters of all columns that a line tells, and of all reasons


@dataclass(frozen=True)
class Entry:
    """One line. `bronze`: where the bytes are kept; of a duplicate, those of the first file that had them; empty for a
    file in quarantine, whose place `quarantine` is (the report lies beside it). `mtime`: seconds since 1970 (UTC) at
    which the raw file was written. `fingerprint`: what bytes are known by (`towline.ingest.fingerprint`). `kind`: the
    format by name and magic, such as `csv`, `json.gz`. `columns`: the header, where there is one, and `reasons`: why it
    was refused, a sentence each; both as far as a line should be long. `retry_of`: the ingest in whose place this one
    is; `retry`: who asked for it, and the version of what they asked it with. `ingested`: when the entry was made."""

    ingest: str
    dataset: str
    raw: str
    status: str
    mtime: float
    size: int
    etag: str
    fingerprint: str
    version: str | None = None
    bronze: str = ""
    bronze_version: str | None = None
    sha256: str | None = None
    duplicate_of: str | None = None
    quarantine: str = ""
    kind: str = ""
    columns: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    retry_of: str | None = None
    retry: str | None = None
    ingested: str = ""

    def to_line(self) -> bytes:
        """JSON, one line, its newline included; empty values are left out. What is no text in UTF-8, as JSON's escapes
        can spell it in a name, becomes `?`."""
        own = {name: value for name, value in vars(self).items() if value not in (None, "", ())}
        return json.dumps(own, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n"

    def brief(self) -> Entry:
        """The same with no more columns and reasons than a line should have: a header may be a quarter of a megabyte,
        and a reason name all of it. The report of a refused file has them all."""
        return replace(self, columns=_first(self.columns), reasons=_first(self.reasons))

    @classmethod
    def of_line(cls, line: bytes | str, where: str = "a manifest") -> Entry:
        """Corrupt: it is no entry."""
        try:
            raw: Mapping[str, Any] = json.loads(line)
            known: dict[str, Any] = {name: value for name, value in raw.items() if name in cls.__dataclass_fields__}
            known |= {name: tuple(known[name]) for name in ("columns", "reasons") if name in known}
            entry = cls(**known)
        except (ValueError, TypeError, AttributeError) as error:
            raise Corrupt(f"{where} holds a line that is no entry ({error}): {line[:100]!r}") from error
        if entry.status not in STATUSES:
            raise Corrupt(f"{where}: the status of {entry.ingest} is {entry.status!r}, none of {', '.join(STATUSES)}")
        return entry

    @property
    def is_new(self) -> bool:
        """Whether it brought bytes to bronze that were not there before."""
        return self.status == BRONZE

    @property
    def claims(self) -> bool:
        """Whether it is the first with these bytes in bronze: its entry lies under their fingerprint alone."""
        return self.status == BRONZE and self.duplicate_of is None


def _first(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The first of them, with LINE_MAX characters in all; what does not fit ends in an ellipsis."""
    lengths = accumulate(map(len, texts))
    kept = tuple(text for text, length in zip(texts, lengths, strict=True) if length <= LINE_MAX)
    if len(kept) == len(texts):
        return texts
    room = LINE_MAX - sum(map(len, kept))
    return (*kept, f"{texts[len(kept)][:room]}…")


def ingest_id(stat: Stat, fingerprint: str) -> str:
    """`20261128T214500-3f9a52c07be1`: sorts by time, and is the same whenever it is asked."""
    digest = sha256(f"{stat.key}\0{fingerprint}".encode()).hexdigest()[:12]
    return f"{stat.modified.astimezone(UTC):%Y%m%dT%H%M%S}-{digest}"


def is_ingest(id: str) -> bool:
    """Whether it can be an ingest's: it begins with a moment that the calendar has."""
    try:
        return _INGEST.fullmatch(id) is not None and bool(ingest_time(id))
    except ValueError:
        return False


def original(ingest: str) -> str:
    """The id of the first ingest of the same file."""
    return ingest.split(".")[0]


def attempt(ingest: str) -> int:
    """The number of the retry; 0 for a file's first ingest."""
    return int(ingest.partition(".")[2] or 0)


def ingest_time(ingest: str) -> datetime:
    """The second (UTC) at which the raw file was written."""
    return datetime.strptime(ingest[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
