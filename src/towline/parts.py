"""Which objects of a prefix are the parts of one table.

A query engine writes a table as any number of Parquet files beside marks of its own. A part is every object but these:

| left out             | because                                                                     |
|----------------------|-----------------------------------------------------------------------------|
| `x/`, `x_$folder$`   | a folder that somebody made                                                 |
| `_x`, `.x`, `_x/...` | hidden: `_SUCCESS`, `_temporary/`, checksums; engines do not read them either |
| `...-manifest.csv`   | Athena's list of what a query wrote                                         |
| an empty object      | no Parquet file has no bytes: a marker                                      |

Names need no ending: Athena's have none. Where a data manifest is given (Athena's DataManifestLocation: an s3:// URI a
line) it decides instead: each of its entries has to be there, and what else lies under the prefix is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from towline.errors import NotFound, UsageError
from towline.store import Entry, ObjectStore

MANIFEST_MAX = 64 * 2**20  # bytes
_SCHEME = "s3://"
_HIDDEN, _FOLDER, _MANIFEST = ("_", "."), "_$folder$", "-manifest.csv"


@dataclass(frozen=True)
class Ignored:
    """An object of the prefix that is no part, and why."""

    key: str
    reason: str


@dataclass(frozen=True)
class Parts:
    """The parts under one prefix, by key, and what was left out."""

    prefix: str
    entries: tuple[Entry, ...]
    ignored: tuple[Ignored, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all parts together."""
        return sum(entry.size for entry in self.entries)


def find(store: ObjectStore, prefix: str, manifest: str | None = None) -> Parts:
    """The parts under `prefix`; `manifest` is the key of the data manifest.

    NotFound: there is none, or one that the manifest names is not there. UsageError: the manifest names an object
    elsewhere, or is none.
    """
    prefix = f"{prefix.rstrip('/')}/"
    listed = list(store.list(prefix))
    named = None if manifest is None else _named(store, prefix, manifest)
    reasons = {entry.key: _reason(prefix, entry, named) for entry in listed}
    if named is not None and (missing := sorted(named - reasons.keys())):
        raise NotFound(
            f"{manifest} names {missing[0]}, and {_count(len(missing), 'such part')} not there: the table would be "
            "incomplete; run the query again"
        )
    entries = tuple(entry for entry in listed if not reasons[entry.key])
    ignored = tuple(Ignored(key, reason) for key, reason in reasons.items() if reason)
    if not entries:
        raise NotFound(f"there is no part of a table under {prefix}{_left_out(ignored)}")
    return Parts(prefix, entries, ignored)


def key_of(uri: str, bucket: str) -> str:
    """The key in an s3:// URI of this bucket. UsageError: of another one, or no such URI."""
    where, _, key = uri.removeprefix(_SCHEME).partition("/")
    if not uri.startswith(_SCHEME) or not key:
        raise UsageError(f"{uri!r} is no place in S3; write it like s3://{bucket}/sql/…")
    if where != bucket:
        raise UsageError(f"{uri} is in the bucket {where}, and only {bucket} is read here")
    return key


def _reason(prefix: str, entry: Entry, named: frozenset[str] | None) -> str:
    """Why an object is no part; empty where it is one."""
    if named is not None:
        return "" if entry.key in named else "not in the manifest"
    *folders, name = entry.key.removeprefix(prefix).split("/")
    if not name or name.endswith(_FOLDER):
        return "a folder's marker"
    if any(part.startswith(_HIDDEN) for part in (*folders, name)):
        return "a hidden name"
    if name.endswith(_MANIFEST):
        return "a manifest"
    return "" if entry.size else "empty"


def _named(store: ObjectStore, prefix: str, manifest: str) -> frozenset[str]:
    """The keys that a data manifest names."""
    body = store.get(manifest, max_bytes=MANIFEST_MAX).body
    try:
        lines = [line.strip().strip('"') for line in body.decode().splitlines()]
    except UnicodeDecodeError:
        raise UsageError(f"{manifest} is no manifest: it is not text") from None
    return frozenset(_entry(line, prefix, f"{manifest}, line {n}") for n, line in enumerate(lines, 1) if line)


def _entry(line: str, prefix: str, where: str) -> str:
    key = line.removeprefix(_SCHEME).partition("/")[2]
    if not line.startswith(_SCHEME) or not key.startswith(prefix):
        raise UsageError(
            f"{where}: {line!r} is no object under {prefix}; give the manifest of the query that wrote there"
        )
    return key


def _left_out(ignored: tuple[Ignored, ...]) -> str:
    if not ignored:
        return ": nothing lies there"
    first = f"{ignored[0].key} ({ignored[0].reason})"
    return f": only {first}" + (f" and {len(ignored) - 1:,} more objects that are none" if len(ignored) > 1 else "")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun} is" if number == 1 else f"{number:,} {noun}s are"
