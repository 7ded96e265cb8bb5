"""The promises of the commit protocol, judged from what the store holds and from nothing that a worker says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

import pyarrow as pa

from towline import audit, changefile, keys
from towline import table as tables
from towline.contract import Contract

from .shelf import Shelf

Record = Mapping[str, Any]


class Violation(Exception):
    """A promise that does not hold, and what was found instead."""

    def __init__(self, promise: str, found: str) -> None:
        super().__init__(f"{promise}: {found}")
        self.promise = promise


def _must(holds: object, promise: str, found: object) -> None:
    if not holds:
        raise Violation(promise, str(found))


@dataclass
class Evidence:
    """What the store holds of one dataset. `proposals` are the keys of those in its inbox; `is_touched`: somebody wrote
    its master past Towline."""

    store: Shelf
    dataset: str
    proposals: Sequence[str]
    is_touched: bool = False
    layout: keys.Layout = field(default_factory=keys.Layout)

    @cached_property
    def records(self) -> list[Record]:
        """Every audit record, in the order of the chain as far as it goes; the others behind."""
        every = [json.loads(self.store.body(key)) for key in self.store.names(f"{self.layout.audit}{self.dataset}/")]
        after = {record["prev_chain"]: record for record in sorted(every, key=lambda r: -int(r["number"]))}
        ordered, chain = [], audit.GENESIS
        while chain in after:
            ordered.append(after.pop(chain))
            chain = ordered[-1]["chain"]
        return ordered + [record for record in every if record not in ordered]

    @cached_property
    def versions(self) -> list[tuple[str, bytes, Mapping[str, str]]]:
        """The versions of the master, oldest first: VersionId, bytes, metadata."""
        history = self.store.history(keys.master(self.dataset))
        return [(str(one.stat.version), one.body, one.stat.metadata) for one in history if one.body is not None]

    @cached_property
    def contract(self) -> Contract:
        return Contract.parse(json.loads(self.store.body(keys.contract(self.dataset))))

    def receipt(self, proposal: str) -> Record | None:
        key = keys.receipt(self.dataset, proposal)
        return json.loads(self.store.body(key)) if key in self.store else None


def judge(evidence: Evidence) -> None:
    """Violation, if a promise does not hold. The work must be at rest: everything delivered, nothing under way."""
    _receipts(evidence)
    _chain(evidence)
    _versions(evidence)
    _snapshots(evidence)
    _replay(evidence)


def _receipts(evidence: Evidence) -> None:
    counted = Counter(record["proposal"] for record in evidence.records)
    for key in evidence.proposals:
        where = keys.parse_inbox(key)
        assert where is not None
        receipt = evidence.receipt(where.proposal)
        _must(receipt, "no proposal is lost", f"{where.proposal} has no receipt")
        assert receipt is not None
        status, times = receipt["status"], counted.pop(where.proposal, 0)
        _must(
            status in ("committed", "conflicted", "rejected"),
            "no proposal is lost",
            f"{where.proposal} stays {status}",
        )
        promise = "a committed proposal is in the history once, and no other is"
        _must(times == (status == "committed"), promise, f"{where.proposal} is {status}, and has {times} audit records")
        if status == "committed":
            _committed(evidence, receipt)
        else:
            _refused(evidence, key, receipt)
    for proposal, times in counted.items():
        receipt = evidence.receipt(proposal)
        promise = "a record belongs to a committed proposal"
        _must(receipt and receipt["status"] == "committed" and times == 1, promise, f"{proposal}: {times} records")


def _committed(evidence: Evidence, receipt: Record) -> None:
    record = next(each for each in evidence.records if each["proposal"] == receipt["proposal"])
    for name in ("commit", "number", "chain", "snapshot_key", "changes_key"):
        promise = "a receipt says what its audit record says"
        _must(receipt[name] == record[name], promise, f"{receipt['proposal']}, {name}: {receipt[name]}, {record[name]}")


def _refused(evidence: Evidence, key: str, receipt: Record) -> None:
    kept = receipt["quarantine"]
    whole = kept in evidence.store and evidence.store.body(kept) == evidence.store.body(key)
    _must(whole, "refused input is kept whole", f"{receipt['proposal']} is {receipt['status']}; {kept}")


def _chain(evidence: Evidence) -> None:
    chain, number, commit = audit.GENESIS, 0, None
    for record in evidence.records:
        where = f"number {record['number']}, {record['proposal']}"
        _must(record["prev_chain"] == chain, "audit records are one chain", f"{where} follows another record")
        _must(audit.link(record) == record["chain"], "audit records are one chain", f"{where} was altered")
        if record["commit"] != commit:
            _must(record["parent"] == commit, "each commit names the one before", f"{where}: parent {record['parent']}")
            number, commit = number + 1, record["commit"]
        _must(record["number"] == number, "commits are numbered 1, 2, 3, ...", f"{where} comes as number {number}")
        chain = record["chain"]


def _versions(evidence: Evidence) -> None:
    """Each version was made by a commit, on the version that its record names; or was written past Towline, and is
    named by the record of a commit above it. One that repeats the version below it, byte for byte, changed nothing, and
    If-Match cannot tell the two apart: a commit may have been made on the lower one."""
    place = {version: number for number, (version, _, _) in enumerate(evidence.versions)}
    made = _distinct(record["new_version"] for record in evidence.records)
    promise = "every record has its version"
    _must(all(version in place for version in made), promise, [version for version in made if version not in place])
    _must(made == sorted(made, key=place.__getitem__), "versions and records are in one order", made)
    _must(evidence.versions[-1][0] in made, "the head is a commit", "the head was written past Towline")
    external = [record["prev_version"] for record in evidence.records if record["kind"] == "external"]
    _must(evidence.is_touched or not external, "no commit of Towline's is taken for somebody else's", external)
    named = {record["prev_version"] for record in evidence.records if record["kind"] in ("external", "create")}
    for version, number in place.items():
        told = version in made or version in named or _repeats(evidence, number)
        _must(told, "every version has its records", f"version {number + 1}: {dict(evidence.versions[number][2])}")
    for record in evidence.records:
        if record["kind"] != "external":
            _on_its_base(evidence, record, place)


def _on_its_base(evidence: Evidence, record: Record, place: Mapping[str, int]) -> None:
    below, base = place[record["new_version"]] - 1, place.get(record["prev_version"], -1)
    while below > base and _repeats(evidence, below):
        below -= 1
    promise = "a commit replaces the version that it was made on"
    _must(below == base, promise, f"number {record['number']}, {record['proposal']}, made on version {base + 1}")


def _repeats(evidence: Evidence, number: int) -> bool:
    return number > 0 and evidence.versions[number][1] == evidence.versions[number - 1][1]


def _snapshots(evidence: Evidence) -> None:
    bodies = {version: body for version, body, _ in evidence.versions}
    for record in evidence.records:
        key = record["snapshot_key"]
        same = key in evidence.store and evidence.store.body(key) == bodies[record["new_version"]]
        _must(same, "each snapshot is its version", f"number {record['number']}: {key}")


def _replay(evidence: Evidence) -> None:
    table: pa.Table | None = None
    for place, record in enumerate(evidence.records):
        where = f"number {record['number']}, {record['proposal']}"
        key = record["changes_key"]
        _must(key in evidence.store, "each record has its changes file", where)
        changes = evidence.store.body(key)
        promise = "a changes file is the one that its record tells of"
        _must(sha256(changes).hexdigest() == record["changes_sha256"], promise, where)
        version = next(body for version, body, _ in evidence.versions if version == record["new_version"])
        after = tables.from_parquet(version, where)
        table = after if table is None else replayed(table, changes, evidence.contract)
        if _is_last(evidence.records, place):
            _must(table.equals(after), "replaying the changes files gives every snapshot", where)


def replayed(table: pa.Table, changes: bytes, contract: Contract) -> pa.Table:
    types = {field.name: field.type for field in contract.fields}
    rows = {contract.key_of(row): row for row in table.to_pylist()}
    return tables.apply(table, contract.key, changefile.from_parquet(changes, contract.key, types, rows).changes)


def _is_last(records: Sequence[Record], place: int) -> bool:
    return place + 1 == len(records) or records[place + 1]["commit"] != records[place]["commit"]


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))
