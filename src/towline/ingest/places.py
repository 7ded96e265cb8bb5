"""Where a raw file goes: its bronze key, its place in quarantine, and what its copies say of themselves.

All of it follows from the raw key, the ingest and the pipeline, so that a second delivery finds what the first one
made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

from towline import keys
from towline.errors import UsageError
from towline.ingest.entry import ingest_time
from towline.keys import RawKey
from towline.store import KEY_MAX, quote_metadata

# Bytes that a bronze key leaves free, for its sample's (`samples/`, and an ending such as `.meta.json`).
_SPARE = 24
# Bytes that names and values of partitions may have; where the key is too long with them, the next.
_LIMITS = (200, 96, 40)
_ENDING = re.compile(r"(\.[A-Za-z0-9]{1,10}){1,2}$")
REPORT, ROWS = "report.json", "rows.parquet"  # what else lies where a file is in quarantine

INGEST, RAW, RAW_VERSION = "ingest", "raw", "raw-version"


def bronze(key: RawKey, partition: Mapping[str, str], ingest: str, mark: str = "") -> str:
    """The bronze key of a raw file. UsageError: the pipeline's partition has too many columns for any key."""
    at = ingest_time(ingest)
    for limit in _LIMITS:
        values = {column: shortened(str(value), limit) for column, value in partition.items()}
        found = keys.bronze(key.dataset, values, shortened(key.name, limit), at, mark)
        if len(found.encode()) <= KEY_MAX - _SPARE:
            return found
    raise UsageError(f"the partition {', '.join(partition)} of {key.dataset} does not fit a key of {KEY_MAX} bytes")


def mark(ingest: str) -> str:
    """What tells the bronze key of this ingest from that of another with the same name, partition and second."""
    return f"-{ingest[16:]}"


def quarantine(key: RawKey, ingest: str) -> str:
    """Where a refused file is kept; its report lies beside it."""
    name = shortened(key.name, _LIMITS[0])
    return beside(key.dataset, ingest, f"_{name}" if name in (REPORT, ROWS) else name)


def report(dataset: str, ingest: str) -> str:
    return beside(dataset, ingest, REPORT)


def beside(dataset: str, ingest: str, name: str) -> str:
    """Where a file, its report or its refused rows lie in quarantine."""
    return keys.quarantine(dataset, ingest, name, ingest_time(ingest))


def metadata(ingest: str, raw: str, version: str | None) -> dict[str, str]:
    """What a copy says of itself. Without the raw key where that would not fit, as a long one in Chinese."""
    said = {INGEST: ingest, RAW: raw, **({RAW_VERSION: version} if version else {})}
    try:
        quote_metadata(said)
    except UsageError:
        return {INGEST: ingest}
    return said


def shortened(text: str, limit: int) -> str:
    """`text` as a segment of a key with at most `limit` bytes: what is too long is cut before its ending, and has a
    digest of the whole."""
    kept = keys.segment(text)
    if len(kept.encode()) <= limit:
        return kept
    found = _ENDING.search(kept)
    ending = found[0] if found else ""
    digest = sha256(text.encode()).hexdigest()[:12]
    head = kept.encode()[: limit - len(digest) - len(ending) - 1].decode(errors="ignore")
    return f"{head}-{digest}{ending}"
