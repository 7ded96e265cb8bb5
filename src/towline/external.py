"""Masters that somebody wrote past Towline, recorded as one commit of author `external`, so that nothing is hidden and
work goes on.

Each version that no commit made gets an audit record of its own, oldest first, which names it as `prev_version`; what
it changed is the difference from the table before it. The commit puts the last of these tables on top in canonical
form. A version that is no table of the dataset changed nothing that could be told: the table before it is put back, and
its bytes go to the quarantine, beside the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from towline import keys, landing, master, quarantine, receipts, streamed
from towline import table as tables
from towline.audit import GENESIS
from towline.contract import Contract
from towline.diff import Diff, diff
from towline.errors import Contended, Corrupt
from towline.finish import finish_head
from towline.landing import Candidate, Ground
from towline.master import Head
from towline.plan import Plan
from towline.proposals import MAX_FILE
from towline.receipts import Receipt
from towline.rows import InMemory, Rows, difference, pieces
from towline.streamed import Streamed
from towline.workbench import Workbench

AUTHOR = "external"


def record(bench: Workbench, dataset: str) -> bool:
    """Record what was put on top of the last commit past Towline. The caller looks at the head again, whether this
    landed or something else did. False: there is no commit, so this is not a dataset of Towline's yet.

    Raises Corrupt where there is a contract and no commit: then only a person can say what is meant.
    """
    known, chain, strangers = _split(bench, dataset)
    if known is None:
        if bench.has(dataset):
            raise Corrupt(
                f"no version of {keys.master(dataset)} was made by a commit, and {dataset} has a contract: bring the "
                "versions of its commits back"
            )
        return False
    if strangers:
        contract = bench.contract(dataset)
        candidates = list(_candidates(bench, known.rows(contract.key), strangers, contract))
        if any(candidate.receipt.final for candidate in candidates):
            return True  # recorded since these versions were read, and a final receipt never changes
        top = strangers[-1]
        ground = Ground(top.etag, top.version, known.commit, known.number, chain)
        landing.land(bench, dataset, ground, contract, candidates)
    return True


def _split(bench: Workbench, dataset: str) -> tuple[Head | None, str, list[Head]]:
    """The newest version that a commit made in its turn, finished, with the chain value of its last audit record; and
    the strangers above it, oldest first. Delete markers are passed over."""
    strangers: list[Head] = []
    for version in bench.store.versions(keys.master(dataset)):
        found = None if version.is_delete_marker else master.read(bench.store, dataset, version=version.version)
        if found is None:
            continue
        if chain := finish_head(bench, found):
            return found, chain, strangers[::-1]
        strangers.append(found)
    return None, GENESIS, strangers[::-1]


def _candidates(bench: Workbench, rows: Rows, strangers: Sequence[Head], contract: Contract) -> Iterator[Candidate]:
    for stranger in strangers:
        found, remark = _read(stranger, contract)
        receipt = _receipt(bench, stranger, remark)
        if found is None:
            quarantine.keep(bench, receipt)
            change = Diff(contract.key)
        else:
            change = _change(rows, found, contract.key)
            rows = found
        yield Candidate(receipt, Plan(rows, change), stranger.version)


def _change(before: Rows, after: Rows, key: tuple[str, ...]) -> Diff:
    return difference(before, after, key) if isinstance(after, Streamed) else diff(before.table(), after.table(), key)


def _read(stranger: Head, contract: Contract) -> tuple[Rows | None, str]:
    """The rows in a version, in key order, and what is to be said about them; None where it is no table of this
    dataset. A large one is read a row group at a time, unless it has to be sorted."""
    try:
        file = stranger.foreign()
        if stranger.blob.stat.size > MAX_FILE:
            rows, report = streamed.check(file, contract)
            if rows is not None:
                return rows, _remark(sum(contract.check(each).errors for each in pieces(rows, contract.names)))
            if not any(violation.rule == streamed.ORDER for violation in report.violations):
                return None, _no_table(stranger, report.violations[0].message)
        whole = file.table()
    except Corrupt as error:
        return None, _no_table(stranger, str(error))
    conformed, report = contract.conform(whole)
    if conformed is not None:
        report = contract.check_unique(conformed)
    if conformed is None or not report.ok:
        return None, _no_table(stranger, report.violations[0].message)
    table = tables.sort(conformed, contract.key)
    return InMemory(table, contract.key), _remark(contract.check(table).errors)


def _remark(errors: int) -> str:
    return f"; in it {errors:,} violation{'s' * (errors > 1)} of the contract" if errors else ""


def _no_table(stranger: Head, why: str) -> str:
    return f"; it is no table of {stranger.dataset} ({why}), so the one before it was put back"


def _receipt(bench: Workbench, stranger: Head, remark: str) -> Receipt:
    """The receipt of the recording: its id follows from the version, so that two recorders make one commit."""
    stat = stranger.blob.stat
    copied = f", with the metadata of commit {stranger.commit}" if stranger.commit else ""
    fresh = Receipt(
        proposal=f"{AUTHOR}-{sha256(stranger.version.encode()).hexdigest()[:16]}",
        dataset=stranger.dataset,
        status="received",
        principal=AUTHOR,
        user=AUTHOR,
        kind=AUTHOR,
        note=f"written past Towline: version {stranger.version}{copied}{remark}",
        inbox={"key": stat.key, "version": stranger.version, "etag": stranger.etag, "size": stat.size},
    )
    found = receipts.swap(bench.store, fresh.moved("accepted", bench.clock())) or receipts.load(
        bench.store, fresh.dataset, fresh.proposal
    )
    if found is None:
        # The write was answered 409, not 412: there may be nothing yet.
        raise Contended(f"another write of {fresh.key} interfered, and nothing was written: deliver the event again")
    return found
