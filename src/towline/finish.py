"""Step 8 of the commit protocol: everything that follows from a commit that has landed.

Each write has a key that follows from the intent, and is made only where there is nothing yet (`If-None-Match: *`), so
anybody may do it, again and again. The receipts come last: the last proposal's receipt says `committed` only when all
is done, and that is what `towline.commit` looks at before it builds on a head.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from towline import audit, keys, lineage, receipts
from towline.errors import Contended, Corrupt, NotFound, PreconditionFailed
from towline.intent import Intent, load
from towline.master import Head
from towline.receipts import Receipt
from towline.store import ABSENT
from towline.workbench import Workbench


def finish(
    bench: Workbench, intent: Intent, version: str, claimed: Mapping[str, Receipt] | None = None
) -> list[Receipt]:
    """Complete a commit that made `version`. `claimed` are its receipts as they were last written, if known.
    Returns the final receipts."""
    records = intent.records(version)
    _copy_once(bench, intent, version)
    if intent.contract is not None:
        _put_once(bench, keys.contract(intent.dataset), json.dumps(intent.contract).encode())
        bench.describe()
    for entry, record in zip(intent.entries, records, strict=True):
        _put_once(bench, entry.changes_key, entry.changes)
        _put_once(bench, entry.audit_key, audit.to_line(record))
    final = [
        _close(bench, intent, entry.audit_key, record, (claimed or {}).get(entry.proposal))
        for entry, record in zip(intent.entries, records, strict=True)
    ]
    bench.finished[intent.dataset] = (version, str(records[-1]["chain"]))
    return final


def finish_head(bench: Workbench, head: Head) -> str | None:
    """See to it that the head's commit is finished; returns the chain value of its last audit record. None where no
    commit made this version in its turn (`towline.lineage`)."""
    if head.commit is None:
        return None
    version, chain = bench.finished.get(head.dataset, ("", ""))
    if version == head.version:
        return chain
    last = receipts.load(bench.store, head.dataset, head.proposal)
    # Receipts of before they noted the version are taken at their word.
    if last and last.status == "committed" and last.commit == head.commit and last.version in (None, head.version):
        bench.finished[head.dataset] = (head.version, str(last.chain))
        return last.chain
    if not lineage.stands(bench, head):
        return None
    intent = load(bench.store, head.dataset, head.commit)
    if intent is None:
        raise Corrupt(
            f"commit {head.commit} of {head.dataset} is not finished and its intent "
            f"{keys.intent(head.dataset, head.commit)} is gone: restore it from the bucket's versions"
        )
    if _landed_before(bench, intent, head.version):
        return None
    finish(bench, intent, head.version)
    return bench.finished[head.dataset][1]


def _landed_before(bench: Workbench, intent: Intent, version: str) -> bool:
    """Whether the commit made another version than this one, and was finished: then this is a copy, with metadata that
    claim a base for it."""
    last = receipts.load(bench.store, intent.dataset, intent.entries[-1].proposal)
    return last is not None and last.status == "committed" and last.version not in (None, version)


def _copy_once(bench: Workbench, intent: Intent, version: str) -> None:
    # The version is named, so a copy made twice is the same copy.
    source = keys.master(intent.dataset)
    try:
        bench.store.copy(source, intent.snapshot_key, version=version, when=ABSENT)
    except Contended:
        raise  # 409 says that somebody interfered, not that the object is there: the next delivery tries again
    except PreconditionFailed:
        return


def _put_once(bench: Workbench, key: str, body: bytes) -> None:
    try:
        bench.store.put(key, body, when=ABSENT)
    except Contended:
        raise  # 409 says that somebody interfered, not that the object is there: the next delivery tries again
    except PreconditionFailed:
        return


def _close(bench: Workbench, intent: Intent, audit_key: str, record: audit.Record, known: Receipt | None) -> Receipt:
    """Bring one proposal's receipt to `committed`, whatever it says now."""
    while True:
        proposal = str(record["proposal"])
        receipt = known or receipts.load(bench.store, intent.dataset, proposal)
        if receipt is None:
            raise NotFound(f"proposal {proposal} of commit {intent.commit} has no receipt")
        if receipt.status == "committed":
            return receipt
        if receipt.final:
            raise Corrupt(f"proposal {proposal} is in commit {intent.commit}, its receipt says {receipt.status}")
        closed = receipts.swap(bench.store, _committed(bench, receipt, intent, audit_key, record))
        if closed is not None:
            bench.notify(closed)
            return closed
        known = None


def _committed(bench: Workbench, receipt: Receipt, intent: Intent, audit_key: str, record: audit.Record) -> Receipt:
    cells, number = record["cells_changed"], intent.number
    return receipt.moved(
        "committed",
        bench.clock(),
        commit=intent.commit,
        version=record["new_version"],
        number=number,
        snapshot_key=intent.snapshot_key,
        audit_key=audit_key,
        changes_key=record["changes_key"],
        chain=record["chain"],
        message=f"commit {number}: {cells:,} {'cell' if cells == 1 else 'cells'} changed",
    )
