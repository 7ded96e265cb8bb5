"""Steps 4 to 8 of the commit protocol: intent, claim, commit point, unknown outcomes, finish."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from towline import audit, body, changefile, keys, lineage, master, receipts
from towline import intent as intents
from towline import table as tables
from towline.body import Body
from towline.contract import Contract
from towline.errors import NotFound, OutcomeUnknown, PreconditionFailed, Unavailable
from towline.finish import finish
from towline.intent import Entry, Intent
from towline.plan import Plan
from towline.receipts import Receipt
from towline.store import ABSENT, Matches, Stat
from towline.workbench import Workbench

PUTS = 4  # puts of one master while the head stays what it was


@dataclass(frozen=True)
class Ground:
    """What a commit builds on: the object that it replaces (`etag`, `version`; None: there is none yet), and the
    commit that it follows (`commit`, `number`, and `chain` of its last audit record)."""

    etag: str | None
    version: str | None
    commit: str | None
    number: int
    chain: str


@dataclass(frozen=True)
class Candidate:
    """A proposal that merged cleanly: its receipt as it stands, and what it changes on top of those before it.
    `prev_version` is the version that its audit record names as the one before, where that is not the ground's."""

    receipt: Receipt
    plan: Plan
    prev_version: str | None = None


def land(
    bench: Workbench,
    dataset: str,
    ground: Ground,
    contract: Contract,
    candidates: Sequence[Candidate],
) -> list[Receipt] | None:
    """Make one commit of `candidates`. Returns their final receipts; None when somebody else was faster, and then
    nothing has changed but receipts that say `committing` and an intent that nobody will finish."""
    result = candidates[-1].plan.result
    assert result is not None  # noqa: S101 - candidates are plans that went well
    intent = _intent(bench, dataset, ground, contract, candidates, tables.summary(result))
    # Before anything is written: where the head cannot be read, nothing has begun.
    made = body.make(result, contract.key, commit=intent.commit, number=intent.number)
    try:
        return _landed(bench, intent, ground, contract, candidates, made)
    finally:
        made.drop()


def _landed(
    bench: Workbench,
    intent: Intent,
    ground: Ground,
    contract: Contract,
    candidates: Sequence[Candidate],
    made: Body,
) -> list[Receipt] | None:
    intents.save(bench.store, intent)
    claimed: dict[str, Receipt] = {}
    for candidate in candidates:
        mine = receipts.swap(bench.store, _claim(bench, candidate.receipt, intent, ground))
        if mine is None:
            return None
        claimed[mine.proposal] = mine
    version = _put_master(bench, intent, ground, contract, made)
    # Where somebody put the bytes of the ground once more on top of later commits, its ETag is there again.
    if version is None or not lineage.is_in_turn(bench, intent.dataset, version, ground.version):
        return None
    bench.wrote(intent.dataset, intent.commit, made)
    return finish(bench, intent, version, claimed)


def _claim(bench: Workbench, receipt: Receipt, intent: Intent, ground: Ground) -> Receipt:
    return receipt.moved(
        "committing", bench.clock(), commit=intent.commit, number=intent.number, base_number=ground.number
    )


def _put_master(bench: Workbench, intent: Intent, ground: Ground, contract: Contract, made: Body) -> str | None:
    """The commit point. Returns the VersionId that it made, or None when another commit got there first.

    A 412 may be the answer to our own put (the SDK repeats a put whose answer was lost), and a put that seems lost may
    still land: so after any doubt the head decides, by the commit id in it.
    """
    stamp = master.metadata(
        commit=intent.commit,
        number=intent.number,
        parent=intent.parent,
        base=ground.version,
        proposal=intent.entries[-1].proposal,
        contract=contract.digest,
        prev_chain=intent.prev_chain,
    )
    key = keys.master(intent.dataset)
    when = Matches(ground.etag) if ground.etag else ABSENT
    for _ in range(PUTS):
        try:
            return made.write(bench.store, key, when, stamp).version
        except (PreconditionFailed, NotFound, OutcomeUnknown):
            seen = _look(bench, key, intent.commit)
        if seen is not None and seen.metadata.get("commit") == intent.commit:
            return seen.version
        if (seen.etag if seen else None) != ground.etag:
            return None
    raise _unknown(intent.commit, key)


def _look(bench: Workbench, key: str, commit: str) -> Stat | None:
    try:
        return bench.store.head(key)
    except NotFound:
        return None
    except Unavailable as error:
        raise _unknown(commit, key) from error


def _unknown(commit: str, key: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"whether commit {commit} replaced {key} is not known: the store does not answer. Nothing is lost: the next "
        "delivery or `reconcile` looks and completes it, or makes it again"
    )


def _intent(
    bench: Workbench,
    dataset: str,
    ground: Ground,
    contract: Contract,
    candidates: Sequence[Candidate],
    counts: Mapping[str, int],
) -> Intent:
    commit = bench.new_id()
    at = keys.commit_time(commit)
    about = {
        "dataset": dataset,
        "number": ground.number + 1,
        "commit": commit,
        "parent": ground.commit,
        "prev_version": ground.version,
        "snapshot_key": bench.layout.snapshot(dataset, commit),
        **counts,
    }
    creates = candidates[0].receipt.kind == "create" or ground.number == 0
    return Intent(
        dataset=dataset,
        commit=commit,
        number=ground.number + 1,
        parent=ground.commit,
        snapshot_key=str(about["snapshot_key"]),
        prev_chain=ground.chain,
        entries=tuple(_entry(bench, about, candidate, at) for candidate in candidates),
        contract=json.loads(contract.to_json()) if creates else None,
    )


def _entry(bench: Workbench, about: Mapping[str, object], candidate: Candidate, at: datetime) -> Entry:
    receipt, plan = candidate.receipt, candidate.plan
    dataset, number = str(about["dataset"]), about["number"]
    assert isinstance(number, int)  # noqa: S101 - made so just above
    changes = changefile.to_parquet(
        plan.diff,
        commit=str(about["commit"]),
        number=number,
        proposal=receipt.proposal,
        timestamp=at,
        user=receipt.user,
    )
    draft: dict[str, object] = {
        **about,
        "prev_version": candidate.prev_version or about["prev_version"],
        **plan.counts(),
        "timestamp": at.isoformat(timespec="milliseconds"),
        "user": receipt.user,
        "note": receipt.note,
        "proposal": receipt.proposal,
        "principal": receipt.principal,
        "kind": receipt.kind,
        "changes_key": keys.changes(dataset, receipt.proposal, at),
        "changes_sha256": sha256(changes).hexdigest(),
    }
    if receipt.kind == "sql":
        draft[audit.QUERY] = str(receipt.run["statement"])
    where = bench.layout.audit_record(dataset, receipt.user, receipt.proposal, at)
    return Entry(receipt.proposal, draft, where, changes)
