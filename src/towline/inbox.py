"""The inbox: what arrives in it becomes an accepted proposal, or a refusal with everything kept.

An event says that an object version arrived (at least once, in any order). The first to write the receipt decides; all
later deliveries of the same object find it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace

from towline import keys, plan, proposals, quarantine, receipts, statements
from towline.bulk import results
from towline.conflict import Conflict
from towline.contract import Contract
from towline.errors import BadProposal, Contended, Corrupt, NotFound
from towline.objects import open_blob
from towline.parquet.footer import TAIL
from towline.parquet.tablefile import TableFile
from towline.proposals import MAX_FILE, MAX_JSON, MAX_PARQUET, TABLE_ENDINGS, Proposal
from towline.receipts import Receipt
from towline.sqledit import SqlRefused
from towline.store import ObjectStore, Stat, TooLarge
from towline.violation import Report, Violation
from towline.workbench import Workbench

# Stands in for the dataset of an object whose key names none.
UNKNOWN = "_unknown"
# Metadata of a table file that belongs to the JSON proposal of the same name.
PART_OF = "part-of"
LETTER = 32 * 2**10  # bytes of a JSON proposal that travel with its receipt; a larger one is read again
SHOWN = 100  # violations and conflicts that a receipt spells out; their totals are always true


@dataclass(frozen=True)
class Arrival:
    """One object version in the inbox, as an S3 event or a listing tells of it. `principal` is the event's, with which
    it was written; None where only the key is known (IAM lets a researcher write nowhere but under their own)."""

    key: str
    version: str | None
    etag: str
    size: int
    principal: str | None = None


def receive(bench: Workbench, arrival: Arrival) -> Receipt | None:
    """Check an arrival and write its receipt: `accepted`, or final. None: the object is no proposal (a folder marker,
    or a table file that belongs to a JSON proposal)."""
    receipt = fresh(arrival)
    if arrival.key.endswith("/") and arrival.size == 0:
        return None
    if not arrival.key.endswith(".json") and is_part(bench, arrival):
        return None
    receipt = _with_letter(bench, receipt)
    proposal, report = _first_look(bench, receipt)
    if proposal is not None:
        receipt = replace(receipt, kind=proposal.kind, note=proposal.note, resolves=proposal.resolves)
    if proposal is not None and proposal.statement is not None:
        receipt = replace(receipt, run={"statement": proposal.statement, "preview": proposal.preview})
    if report.ok:
        written = receipts.swap(bench.store, _with(receipt, report).moved("accepted", bench.clock()))
        return written or _again(bench, receipt)
    if receipts.load(bench.store, receipt.dataset, receipt.proposal) is not None:
        return _again(bench, receipt)  # a `create` that comes again finds its own dataset: no reason for quarantine
    written = receipts.swap(bench.store, quarantine.keep(bench, refused(bench, receipt, report)))
    if written is None:
        return _again(bench, receipt)
    bench.notify(written)
    return written


def read(bench: Workbench, receipt: Receipt, contract: Contract | None) -> tuple[Proposal | None, Report]:
    """Read the proposal behind a receipt; of an SQL edit that was run, with what its query made. What is wrong with it
    comes back as violations, never as an exception."""
    proposal, report = sent(bench, receipt, contract)
    if proposal is None or proposal.statement is None or contract is None or not receipt.run.get("effect"):
        return proposal, report
    try:
        return results.complete(bench.store, receipt, contract, proposal)
    except (NotFound, BadProposal) as error:
        return None, _failure(error)


def sent(bench: Workbench, receipt: Receipt, contract: Contract | None) -> tuple[Proposal | None, Report]:
    """Read what was sent, as it was sent."""
    key = str(receipt.inbox["key"])
    version = str(receipt.inbox.get("version") or "") or None
    try:
        if not key.endswith((".json", *TABLE_ENDINGS)):
            raise BadProposal(
                f"{posixpath.basename(key)!r} is neither a proposal (.json) nor a table ({', '.join(TABLE_ENDINGS)})"
            )
        if key.endswith(".json"):
            body = receipt.letter or bench.store.get(key, version=version, max_bytes=MAX_JSON).body
            # An object's version never changes: what was found in it when it came need not be looked for again.
            known = receipt.status != "received"
            proposal, report = proposals.from_json(body, contract, _beside(bench, key), is_checked=known)
        elif contract is None:
            raise BadProposal(f"there is no dataset {receipt.dataset!r}", rule="dataset.unknown")
        else:
            stat, whole = table_file(bench.store, key, version)
            proposal, report = proposals.from_file(whole, key, stat.metadata, contract)
        if proposal is not None and proposal.dataset != receipt.dataset:
            raise BadProposal(f"the proposal is for {proposal.dataset!r} but lies in the inbox of {receipt.dataset!r}")
    except (TooLarge, NotFound, BadProposal) as error:
        return None, _failure(error)
    return proposal, report


def _with_letter(bench: Workbench, receipt: Receipt) -> Receipt:
    """The receipt with the JSON that it is about, if that is small: an object's version never changes, so what was read
    once is good for the commit, too."""
    key, version = str(receipt.inbox["key"]), receipt.inbox["version"]
    if not key.endswith(".json"):
        return receipt
    try:
        body = bench.store.get(key, version=str(version) if version else None, max_bytes=LETTER).body
    except (NotFound, TooLarge):
        return receipt
    return replace(receipt, letter=body)


def refused(bench: Workbench, receipt: Receipt, report: Report, conflicts: Sequence[Conflict] = ()) -> Receipt:
    """The final receipt of a proposal that cannot be committed, not yet stored."""
    status = "conflicted" if conflicts else "rejected"
    if conflicts:
        message = f"{len(conflicts):,} conflict{'s' * (len(conflicts) > 1)}: {conflicts[0].message}"
    else:
        first = next(v for v in report.violations if v.severity == "error")
        message = f"{report.errors:,} violation{'s' * (report.errors > 1)}: {first.message}"
    spelled = tuple(conflict.to_json() for conflict in conflicts[:SHOWN])
    return _with(receipt, report).moved(status, bench.clock(), conflicts=spelled, message=message)


def _with(receipt: Receipt, report: Report) -> Receipt:
    spelled = tuple(violation.to_json() for violation in report.violations[:SHOWN])
    return replace(receipt, violations=spelled, errors=report.errors, warnings=report.warnings)


def fresh(arrival: Arrival) -> Receipt:
    """The receipt of an arrival before anything is known but its key."""
    where = keys.parse_inbox(arrival.key)
    inbox = {"key": arrival.key, "version": arrival.version, "etag": arrival.etag, "size": arrival.size}
    if where is None:
        lost = keys.InboxKey(UNKNOWN, "", arrival.key.removeprefix(keys.INBOX))
        return Receipt(lost.proposal, UNKNOWN, "received", inbox=inbox, user="unknown")
    principal = arrival.principal or where.principal
    return Receipt(where.proposal, where.dataset, "received", principal, user_of(principal), inbox=inbox)


def user_of(principal: str) -> str:
    """The readable name of a principal: of `AROA…:alice@example.org` (a role's session) the session's name."""
    return principal.rsplit(":", 1)[-1] or principal


def is_part(bench: Workbench, arrival: Arrival) -> bool:
    try:
        return PART_OF in bench.store.head(arrival.key, version=arrival.version).metadata
    except NotFound:
        return False


def _first_look(bench: Workbench, receipt: Receipt) -> tuple[Proposal | None, Report]:
    """Everything that can be said without the master. A remembered contract may be out of date: it may accept (the
    commit checks again), but it must not refuse."""
    if receipt.dataset == UNKNOWN:
        message = f"{receipt.inbox['key']!r} is not inbox/<dataset>/<you>/<name> with the name of a dataset in it"
        return None, _failure(BadProposal(message, rule="inbox.key"))
    try:
        contract, certain = bench.recent_contract(receipt.dataset)
    except NotFound:
        return _checked(bench, receipt, None)
    proposal, report = _checked(bench, receipt, contract)
    if report.ok or certain:
        return proposal, report
    return _checked(bench, receipt, bench.contract(receipt.dataset))


def _checked(bench: Workbench, receipt: Receipt, contract: Contract | None) -> tuple[Proposal | None, Report]:
    proposal, report = read(bench, receipt, contract)
    if proposal is None or not report.ok:
        return proposal, report
    if proposal.kind == "create":
        return proposal, Report.join(report, plan.create(proposal, exists=contract is not None).report)
    assert contract is not None  # noqa: S101 - without one only a `create` is readable
    if proposal.statement is not None:
        return proposal, _runs(bench, receipt, proposal, contract)
    return proposal, Report.join(report, plan.check(proposal.changes, contract))


def _runs(bench: Workbench, receipt: Receipt, proposal: Proposal, contract: Contract) -> Report:
    """What can be said of an edit by SQL before it is run. Its id names its working area, in which all is deleted at
    the end: that must not be where people put what they make by hand."""
    run = keys.Run(receipt.dataset, receipt.proposal)
    if keys.run_of(run.state) != run:
        message = f"{receipt.proposal!r} cannot be the id of an edit by SQL; send it again under another name"
        return _failure(BadProposal(message, rule="proposal.id"))
    try:
        statements.check(bench, contract, str(proposal.statement))
    except SqlRefused as error:
        return _failure(error)
    return Report()


def _beside(bench: Workbench, key: str) -> proposals.Fetch:
    """Fetch the table file that shares the name of a JSON proposal."""
    stem = key.removesuffix(".json")

    def fetch(name: str) -> bytes | TableFile:
        path = posixpath.join(posixpath.dirname(key), name)
        if "/" in name or not path.startswith(f"{stem}."):
            raise BadProposal(
                f"the table file {name!r} must have the proposal's own name, {posixpath.basename(stem)}.csv say"
            )
        return table_file(bench.store, path)[1]

    return fetch


def table_file(store: ObjectStore, key: str, version: str | None = None) -> tuple[Stat, bytes | TableFile]:
    """A table file that somebody sent: its bytes, or the file where it is Parquet and too large for that. TooLarge,
    NotFound; BadProposal: it is no Parquet file that can be read."""
    try:
        blob = store.get(key, version=version, max_bytes=MAX_FILE)
        return blob.stat, blob.body
    except TooLarge:
        if not key.endswith(".parquet"):
            raise
    blob = store.get(key, version=version, tail=TAIL)
    if blob.stat.size > MAX_PARQUET:
        raise TooLarge(key, blob.stat.size, MAX_PARQUET)
    try:
        return blob.stat, open_blob(store, blob, foreign=True)
    except Corrupt as error:
        raise BadProposal(str(error), rule="file.unreadable") from error


def _failure(error: BadProposal | TooLarge | NotFound) -> Report:
    rule = error.rule if isinstance(error, BadProposal) else f"proposal.{error.kind}"
    return Report.of([Violation(rule, "error", None, None, None, str(error))])


def _again(bench: Workbench, receipt: Receipt) -> Receipt:
    """The receipt that is there already: of this very object, or of another that took the same id."""
    first = receipts.load(bench.store, receipt.dataset, receipt.proposal)
    if first is None:
        # The write was answered 409, not 412: there may be nothing yet.
        raise Contended(f"another write of {receipt.key} interfered, and nothing was written: deliver the event again")
    if (first.inbox.get("key"), first.inbox.get("etag")) != (receipt.inbox["key"], receipt.inbox["etag"]):
        twice = BadProposal(
            f"the proposal id {receipt.proposal} was used before, for {first.inbox.get('key')}; propose it again under "
            "another name",
            rule="proposal.id",
        )
        beside = replace(receipt, proposal=f"{receipt.proposal}-{str(receipt.inbox['etag'])[:12]}")
        quarantine.keep(bench, refused(bench, beside, _failure(twice)))
    return first
