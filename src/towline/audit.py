"""The audit record: what a commit did, one JSON line a proposal, chained to the record before it.

The first eight fields and their order are fixed by users' existing tools. `chain` is the SHA-256 of the previous
record's chain and of this record's own content, so that a record edited, removed or slipped in by hand shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256

FIELDS = (
    *(
        "timestamp",
        "user",
        "note",
        "prev_version",
        "new_version",
        "snapshot_key",
        "row_count",
        "column_count",
    ),
    *("dataset", "number", "commit", "parent", "proposal", "principal", "kind"),
    *("rows_inserted", "rows_updated", "rows_deleted", "cells_changed", "changes_key", "changes_sha256"),
    *("prev_chain", "chain"),
)

# Only on the records that have it: the statement of an edit by SQL.
QUERY = "query"

# What a dataset's first record is chained to.
GENESIS = "0" * 64

Record = Mapping[str, object]


def seal(draft: Record, *, new_version: str, prev_chain: str) -> dict[str, object]:
    """Complete a draft (all fields but the version that the commit made, and the chain) into a record."""
    open_record = {**draft, "new_version": new_version, "prev_chain": prev_chain}
    fields = (*FIELDS, QUERY) if QUERY in draft else FIELDS
    ordered = {field: open_record[field] for field in fields if field != "chain"}
    return {**ordered, "chain": link(ordered)}


def link(record: Record) -> str:
    """The chain value that this record must have: it covers every other field, `prev_chain` among them."""
    content = {field: value for field, value in record.items() if field != "chain"}
    return sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def to_line(record: Record) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def from_line(line: bytes) -> dict[str, object]:
    record: dict[str, object] = json.loads(line)
    return record


def newest_first(records: Iterable[Record]) -> list[Record]:
    """Records of one dataset in the order of its history. They need not be all of it."""
    return list(reversed(_in_order(records)))


def _in_order(records: Iterable[Record]) -> list[Record]:
    """Oldest first. Proposals of one commit share its number and moment; the chain tells their order.

    A part of a history is several chains; so is one that was tampered with, which is for `towline verify` to judge:
    here nothing is hidden. Chains follow each other by the number that they begin with.
    """
    by_number = sorted(records, key=lambda r: (int(str(r["number"])), str(r["timestamp"])))
    links = {str(each["chain"]) for each in by_number}
    after = {str(each["prev_chain"]): each for each in by_number}
    begins = [each for each in by_number if each["prev_chain"] == GENESIS or str(each["prev_chain"]) not in links]
    ordered: list[Record] = []
    for each in begins:
        ordered += _chain(after.pop(str(each["prev_chain"]), None), after)
    known = {id(each) for each in ordered}
    return ordered + [each for each in by_number if id(each) not in known]


def _chain(first: Record | None, after: dict[str, Record]) -> Iterable[Record]:
    """A record and those that follow it; they are taken out of `after`, so a circle ends."""
    while first is not None:
        yield first
        first = after.pop(str(first["chain"]), None)
