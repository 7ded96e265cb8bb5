"""A master that somebody wrote past Towline: recorded as a commit of author `external`, so that nothing is hidden."""

from __future__ import annotations

from hashlib import sha256

from towline import keys, landing, master, receipts
from towline import table as tables
from towline.audit import GENESIS
from towline.contract import Contract
from towline.diff import Diff, diff
from towline.errors import Corrupt
from towline.finish import finish_head
from towline.landing import Candidate, Ground
from towline.master import Head
from towline.plan import Plan
from towline.receipts import Receipt
from towline.workbench import Workbench

AUTHOR = "external"


def record(bench: Workbench, head: Head) -> None:
    """Make a commit of the table that `head` (a version without a commit id) holds, on top of the last commit. The
    caller reads the head again, whether this landed or somebody else's did.

    Raises Corrupt when the object is not a table of this dataset: then only a person can say what is meant.
    """
    known = _last_commit(bench, head)
    contract = bench.contract(head.dataset)
    plan = _plan(head, known, contract)
    receipt = _receipt(bench, head)
    if receipt is None or receipt.final:
        return
    ground = Ground(
        etag=head.etag,
        version=head.version,
        commit=known.commit if known else None,
        number=known.number if known else 0,
        chain=finish_head(bench, known) if known else GENESIS,
    )
    landing.land(bench, head.dataset, ground, contract, [Candidate(receipt, plan)])


def _last_commit(bench: Workbench, head: Head) -> Head | None:
    """The newest version of the master that a commit made."""
    for version in bench.store.versions(keys.master(head.dataset)):
        if version.is_delete_marker or version.version == head.version:
            continue
        if bench.store.head(version.key, version=version.version).metadata.get("commit"):
            return master.read(bench.store, head.dataset, version=version.version)
    return None


def _plan(head: Head, known: Head | None, contract: Contract) -> Plan:
    conformed, report = contract.conform(head.table)
    if conformed is not None:
        report = contract.check_unique(conformed)
    if conformed is None or not report.ok:
        raise Corrupt(
            f"version {head.version} of {keys.master(head.dataset)} was written past Towline and is not a table of "
            f"{head.dataset}: {report.violations[0].message}. Put an earlier version back, or a table that fits"
        )
    table = tables.sort(conformed, contract.key)
    change = diff(known.table, table, contract.key) if known else Diff(contract.key)
    return Plan(table, change, contract.check(table))


def _receipt(bench: Workbench, head: Head) -> Receipt | None:
    """The receipt of the recording: its id follows from the version, so that two recorders make one commit."""
    proposal = f"{AUTHOR}-{sha256(head.version.encode()).hexdigest()[:16]}"
    note = f"written past Towline: version {head.version}"
    fresh = Receipt(proposal, head.dataset, "received", AUTHOR, AUTHOR, kind=AUTHOR, note=note)
    return receipts.swap(bench.store, fresh.moved("accepted", bench.clock())) or receipts.load(
        bench.store, head.dataset, proposal
    )
