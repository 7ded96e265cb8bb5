"""What the bytes of a file are known by, told without reading them where S3 can tell.

    uploaded in one request         <md5>-<size>        the ETag is the MD5
    in parts, up to 256 MiB         <md5>-<size>        read once, piece by piece
    in parts, larger                <etag>-<size>       the ETag follows from the bytes and the sizes of the parts

So a file is recognised when it comes again, however it was sent; a larger one only if it was sent in the same parts. In
a bucket that encrypts by KMS an ETag is no MD5, and the same bytes have another each time: nothing is recognised then,
and nothing is taken for what it is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import md5
from pathlib import Path

from towline.store import MIB, FileRange, ObjectStore, Span, Stat

PIECE, READ_MAX = 8 * MIB, 256 * MIB
_MD5 = re.compile(r"[0-9a-f]{32}")


def fingerprint(store: ObjectStore, stat: Stat) -> str:
    """Of one version. NotFound: it is gone."""
    return told(
        stat.etag, stat.size, lambda span: store.get(stat.key, version=stat.version, span=span, max_bytes=PIECE).body
    )


def of_file(path: Path, etag: str) -> str:
    """Of a file on this machine that was uploaded as the object with this ETag."""
    return told(etag, path.stat().st_size, lambda span: FileRange(path, *span).read())


def told(etag: str, size: int, read: Callable[[Span], bytes]) -> str:
    """`read` gives the bytes of a span, and is asked only where the ETag does not tell."""
    if _MD5.fullmatch(etag) or size > READ_MAX:
        return f"{etag}-{size}"
    digest = md5(usedforsecurity=False)
    for start in range(0, size, PIECE):
        digest.update(read((start, min(start + PIECE, size))))
    return f"{digest.hexdigest()}-{size}"
