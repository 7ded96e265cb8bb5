"""Everything that is stored of a dataset's history, listed and read but for the tables: what verifying starts from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from towline import archive, audit, keys
from towline.ahead import ahead
from towline.audit import FIELDS
from towline.contract import Contract
from towline.errors import Corrupt, NotFound
from towline.history import READERS
from towline.keys import Layout
from towline.receipts import Receipt
from towline.store import Entry, Version
from towline.verify.finding import Finding
from towline.workbench import Workbench

# What of a receipt is compared with other texts, or looked up among them.
_TEXTS = ("proposal", "dataset", "status", "commit", "version", "audit_key", "chain")


@dataclass(frozen=True)
class Mark:
    """One version of the master, and the metadata that it carries; none where it is a delete marker."""

    at: Version
    metadata: Mapping[str, str]

    @property
    def version(self) -> str:
        return self.at.version

    @property
    def commit(self) -> str | None:
        return self.metadata.get("commit")


@dataclass(frozen=True)
class Held:
    """One audit record: where it lies, the key that it had before it was archived, and what it says."""

    key: str
    home: str
    record: Mapping[str, object]

    def __getitem__(self, name: str) -> str:
        return str(self.record[name])

    @property
    def is_sealed(self) -> bool:
        """Whether its chain value is that of its content."""
        return audit.link(self.record) == self.record["chain"]


@dataclass
class Stored:
    """What lies there. `marks` are oldest first; `snapshots` has, by the key that a snapshot was written to, what there
    is of it, archived or not; `later` are commits that landed while all this was read, and what belongs to them is left
    out; `broken` is what could not be read."""

    dataset: str
    layout: Layout
    contract: Contract
    marks: list[Mark]
    held: list[Held] = field(default_factory=list)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    changes: dict[str, Entry] = field(default_factory=dict)
    snapshots: dict[str, list[Entry]] = field(default_factory=dict)
    intents: set[str] = field(default_factory=set)
    may_read_intents: bool = True
    later: set[str] = field(default_factory=set)
    broken: list[Finding] = field(default_factory=list)


def look(bench: Workbench, dataset: str) -> Stored:
    """List and read. The versions come first: what is newer than the newest of them was written meanwhile.

    NotFound: no such dataset.
    """
    contract = bench.contract(dataset)
    versions = list(bench.store.versions(keys.master(dataset)))[::-1]
    found = Stored(
        dataset, bench.layout, contract, list(ahead(lambda version: _mark(bench, version), versions, READERS))
    )
    found.intents = {_stem(entry.key) for entry in bench.store.list(f"{keys.INTENTS}{dataset}/")}
    _receipts(bench, found)
    _records(bench, found)
    found.changes = {entry.key: entry for entry in bench.store.list(f"{keys.CHANGES}dataset={dataset}/")}
    originals = bench.store.list(f"{bench.layout.snapshots}{dataset}/")
    for entry in [*originals, *bench.store.list(keys.archive(dataset))]:
        _sort(found, entry)
    found.later = _later(bench, found)
    _leave_out(bench, found)
    return found


def _later(bench: Workbench, found: Stored) -> set[str]:
    known = {mark.version for mark in found.marks}
    newer = [each for each in bench.store.versions(keys.master(found.dataset)) if each.version not in known]
    return {mark.commit for mark in ahead(lambda version: _mark(bench, version), newer, READERS) if mark.commit}


def _leave_out(bench: Workbench, found: Stored) -> None:
    """Take out what belongs to later commits: it was read in part."""
    if not found.later:
        return
    found.receipts = {name: each for name, each in found.receipts.items() if each.commit not in found.later}
    found.held = [held for held in found.held if held["commit"] not in found.later]
    for commit in filter(keys.is_commit, found.later):
        found.snapshots.pop(found.layout.snapshot(found.dataset, commit), None)
    unnamed = found.changes.keys() - {held["changes_key"] for held in found.held}
    for key in unnamed:
        receipt = _receipt(bench, keys.receipt(found.dataset, _stem(key)))
        if isinstance(receipt, Receipt) and receipt.commit in found.later:
            del found.changes[key]


def _stem(key: str) -> str:
    return key.rsplit("/", 1)[1].rsplit(".", 1)[0]


def _mark(bench: Workbench, version: Version) -> Mark:
    if version.is_delete_marker:
        return Mark(version, {})
    return Mark(version, bench.store.head(version.key, version=version.version).metadata)


def _receipts(bench: Workbench, found: Stored) -> None:
    entries = list(bench.store.list(f"{keys.RECEIPTS}{found.dataset}/"))
    for entry, read in zip(entries, ahead(lambda entry: _receipt(bench, entry.key), entries, READERS), strict=True):
        if isinstance(read, Receipt) and read.key == entry.key:
            found.receipts[read.proposal] = read
        else:
            why = f"it is that of {read.proposal}" if isinstance(read, Receipt) else read
            found.broken.append(Finding("receipt.unreadable", f"this is no receipt of that proposal: {why}", entry.key))


def _receipt(bench: Workbench, key: str) -> Receipt | str:
    """The receipt; why it is none, where it is none."""
    try:
        receipt = Receipt.from_json(json.loads(bench.store.get(key).body))
    except (ValueError, TypeError, AttributeError, RecursionError, Corrupt, NotFound) as error:
        return str(error)
    odd = [name for name in _TEXTS if not isinstance(getattr(receipt, name), str | None)]
    odd += [] if isinstance(receipt.number, int | None) else ["number"]
    return f"its {odd[0]} cannot be one" if odd else receipt


def _records(bench: Workbench, found: Stored) -> None:
    bodies: dict[str, bytes | Corrupt] = {}
    entries = list(archive.records(bench, found.dataset))
    owner = {receipt.audit_key: receipt for receipt in found.receipts.values()}
    for entry, body in zip(entries, ahead(lambda entry: _body(bench, entry.key), entries, READERS), strict=True):
        home = bench.layout.home(entry.key)
        if body is None or bodies.get(home) == body:
            continue  # it moved since the listing, and is in it twice; or `prune` has copied it and not yet deleted
        bodies[home] = body
        read = str(body) if isinstance(body, Corrupt) else _record(body)
        if isinstance(read, Mapping):
            found.held.append(Held(entry.key, home, read))
            continue
        whose = owner.get(home)
        commit, number = (whose.commit, whose.number) if whose else (None, None)
        found.broken.append(Finding("record.unreadable", f"this is no audit record: {read}", entry.key, commit, number))


def _body(bench: Workbench, key: str) -> bytes | Corrupt | None:
    """What lies there: None where it is gone, and the store's own word where the store cannot vouch for it."""
    try:
        return archive.get(bench.store, bench.layout, key).body
    except NotFound:
        return None
    except Corrupt as error:
        return error


def _record(body: bytes) -> audit.Record | str:
    """The record; why it is none, where it is none."""
    if not body.strip():
        return "it is empty"
    try:
        record = audit.from_line(body)
    except (ValueError, RecursionError) as error:
        return str(error)
    if not isinstance(record, dict):
        return f"expected a JSON object, found a {type(record).__name__}"
    missing = [name for name in FIELDS if name not in record]
    return f"it has no {', '.join(missing)}" if missing else record


def _sort(found: Stored, entry: Entry) -> None:
    """A snapshot goes under the key that it was written to; an archived record has been read already."""
    home = found.layout.home(entry.key)
    if home.startswith(keys.ARCHIVE):
        found.broken.append(Finding("archive.stray", "this is neither a snapshot nor an audit record", entry.key))
    elif home.startswith(found.layout.snapshots):
        found.snapshots.setdefault(home, []).append(entry)
