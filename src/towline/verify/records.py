"""The audit records against the versions: each commit's records lead from the chain value that its own version names to
the one that the next version names. So the break of one commit does not spread to those after it, and records that were
rewritten consistently are found, too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from towline import audit, keys
from towline.receipts import Receipt
from towline.verify.commits import Landed, moment, other
from towline.verify.finding import Finding
from towline.verify.stored import Held, Stored

# Where a record and its proposal's receipt must agree.
SHARED = ("commit", "number", "user", "note", "principal", "kind", "snapshot_key", "changes_key", "chain")


def arrange(stored: Stored, commits: Sequence[Landed]) -> list[Held]:
    """Give each commit its records, in their order. Returns those that name no commit there is."""
    by_version, by_commit = _by(stored.held, "new_version"), _by(stored.held, "commit")
    taken: set[str] = set()
    for landed in commits:
        group = [*by_version[landed.mark.version], *by_commit[landed.commit]]
        fresh = {held.key: held for held in group if held.key not in taken}
        taken |= fresh.keys()
        begin = _begin(landed)
        landed.records = _path(stored, list(fresh.values()), begin, landed.end)
        on_path = {held.key for held in landed.records}
        landed.others = [held for held in fresh.values() if held.key not in on_path]
        landed.whole = _is_whole(landed, begin)
    return [held for held in stored.held if held.key not in taken]


def _by(held: Sequence[Held], name: str) -> Mapping[str, list[Held]]:
    groups: dict[str, list[Held]] = defaultdict(list)
    for each in held:
        groups[each[name]].append(each)
    return groups


def _begin(landed: Landed) -> str | None:
    """The chain value before a commit's records. Where its version does not name it, the records before it do."""
    if landed.begin is None and landed.before is not None and landed.before.records:
        return landed.before.records[-1]["chain"]
    return landed.begin


def _path(stored: Stored, group: Sequence[Held], begin: str | None, end: str | None) -> list[Held]:
    """The records that lead from `begin` to `end`: back from the end as far as they go, and where that is not all, on
    from the beginning as far as receipts agree. Of two with one chain value the one at its own key counts."""
    at_home_last = sorted(group, key=lambda held: held.home == _home(stored, held))
    tail = _walk({held["chain"]: held for held in at_home_last}, end, "prev_chain", begin)[::-1] if end else []
    if tail and tail[0]["prev_chain"] == begin:
        return tail
    agreed = [held for held in at_home_last if end is None or _is_agreed(stored, held)]
    front = _walk({held["prev_chain"]: held for held in agreed}, begin, "chain")
    return [held for held in front if held not in tail] + tail


def _walk(links: dict[str, Held], at: str | None, name: str, stop: str | None = None) -> list[Held]:
    """From link to link, each taken once, so that a circle ends."""
    found: list[Held] = []
    while at != stop and at in links:
        found.append(links.pop(at))
        at = found[-1][name]
    return found


def _is_agreed(stored: Stored, held: Held) -> bool:
    receipt = stored.receipts.get(held["proposal"])
    return receipt is None or receipt.chain in (None, held["chain"])


def _is_whole(landed: Landed, begin: str | None) -> bool:
    """Whether a commit's records are one chain from `begin` to its end, or, where nothing tells that, to its last
    proposal."""
    if not landed.records:
        return False
    links = [begin, *(held["chain"] for held in landed.records)]
    if landed.end is None:
        ends = landed.records[-1]["proposal"] == landed.mark.metadata.get("proposal")
    else:
        ends = links[-1] == landed.end
    return ends and links[:-1] == [held["prev_chain"] for held in landed.records]


def _home(stored: Stored, held: Held) -> str | None:
    """The key that a record has by what it says; None where it says nothing that could be one."""
    at = moment(held["commit"])
    if at is None:
        return None
    return stored.layout.audit_record(stored.dataset, held["user"], held["proposal"], at)


def check(stored: Stored, commits: Sequence[Landed], lost: Sequence[Held]) -> Iterator[Finding]:
    """Every record, and that there is one for everything that was committed. `lost` are those that belong nowhere."""
    there = {held.home for held in stored.held} | {stored.layout.home(found.key) for found in stored.broken}
    committed: dict[str, list[Receipt]] = defaultdict(list)
    for receipt in stored.receipts.values():
        if receipt.status == "committed":
            committed[str(receipt.commit)].append(receipt)
    told = {found.number for found in stored.broken}
    for landed in commits:
        found = list(_of_commit(stored, landed, committed.pop(landed.commit, []), there))
        yield from found
        if landed.finished and not landed.whole and not found and landed.number not in told:
            yield _gap(landed)
    yield from (_lost(stored, held) for held in lost)
    told_of = {held["proposal"] for held in lost}
    for receipts in committed.values():
        yield from (_without_version(receipt) for receipt in receipts if receipt.proposal not in told_of)


def _of_commit(stored: Stored, landed: Landed, committed: Sequence[Receipt], there: set[str]) -> Iterator[Finding]:
    if landed.finished and not landed.records and not landed.others and landed.commit not in stored.intents:
        said = "its metadata name a commit, and there is neither a record of one nor an intent"
        yield landed.finding("version.forged", said, landed.mark.at.key)
        return
    for held in landed.records:
        yield from _of_record(stored, landed, held)
    for held in landed.others:
        yield _off(landed, held)
        if held.is_sealed and not landed.whole:  # then the two of them disagree
            yield from _of_receipt(stored, landed, held)
    recorded = {held["proposal"] for held in landed.records}
    for receipt in committed:
        if receipt.proposal not in recorded and receipt.audit_key not in there:
            said = f"the record of proposal {receipt.proposal} ({receipt.user}, {receipt.note!r}) is not there"
            yield landed.finding("record.missing", said, str(receipt.audit_key))
    last = landed.mark.metadata.get("proposal")
    if landed.whole and landed.finished and landed.records[-1]["proposal"] != last:
        said = other("metadata proposal", landed.records[-1]["proposal"], last)
        yield landed.finding("version.contradicts", said, landed.mark.at.key)


def _gap(landed: Landed) -> Finding:
    """Records are missing, and no receipt tells which."""
    end = landed.end or "the one of its last record"
    said = f"its records should lead from chain value {landed.begin} to {end}, and what is there does not"
    return landed.finding("record.missing", said)


def _of_record(stored: Stored, landed: Landed, held: Held) -> Iterator[Finding]:
    """A record in its place in the chain."""
    if not held.is_sealed:
        yield _altered(landed.finding("record.altered", "", held.key), held)
        return
    expected = _expected(stored, landed, held)
    wrong = [other(name, value, held.record[name]) for name, value in expected.items() if held.record[name] != value]
    if wrong:
        said = f"the record says otherwise than its commit: {'; '.join(wrong)}"
        yield landed.finding("record.contradicts", said, held.key)
    elif held.home != _home(stored, held):
        said = f"the record of proposal {held['proposal']} belongs at {_home(stored, held)}"
        yield landed.finding("record.misplaced", said, held.key)
    yield from _of_receipt(stored, landed, held)


def _expected(stored: Stored, landed: Landed, held: Held) -> Mapping[str, object]:
    """What a record must say because of where it is in the history."""
    expected: dict[str, object] = {
        "dataset": stored.dataset,
        "number": landed.number,
        "commit": landed.commit,
        "parent": landed.parent,
        "new_version": landed.mark.version,
        "snapshot_key": stored.layout.snapshot(stored.dataset, landed.commit),
        "changes_key": keys.changes(stored.dataset, held["proposal"], landed.at),
        "timestamp": landed.at.isoformat(timespec="milliseconds"),
    }
    # The records of `external` name the version that they are about, each its own.
    if held.record["kind"] != "external" and "base" in landed.mark.metadata:
        expected["prev_version"] = landed.base
    return expected


def _altered(found: Finding, held: Held) -> Finding:
    said = f"its content has the chain value {audit.link(held.record)}, and it says {held['chain']}"
    return replace(found, message=f"the record of proposal {held['proposal']} was changed after it was written: {said}")


def _off(landed: Landed, held: Held) -> Finding:
    """A record that names this commit and is not in its chain."""
    if not held.is_sealed:
        return _altered(landed.finding("record.altered", "", held.key), held)
    same = next((each for each in landed.records if each["chain"] == held["chain"]), None)
    if same is not None:
        said = f"the same record of proposal {held['proposal']} lies at {same.key}"
        return landed.finding("record.twice", said, held.key)
    said = f"the record of proposal {held['proposal']} is not in the commit's chain from {landed.begin} to {landed.end}"
    return landed.finding("record.inserted" if landed.whole else "record.rewritten", said, held.key)


def _lost(stored: Stored, held: Held) -> Finding:
    number, commit = held.record["number"], held["commit"]
    found = Finding("record.inserted", "", held.key, commit, number if isinstance(number, int) else None)
    if not held.is_sealed:
        return _altered(replace(found, kind="record.altered"), held)
    if held["new_version"] in {mark.version for mark in stored.marks}:
        said = f"it says that commit {commit} made version {held['new_version']}, which no commit made"
        return replace(found, message=said)
    said = f"the record names version {held['new_version']} of the master, which is not there"
    return replace(found, kind="version.missing", message=said, version=held["new_version"])


def _of_receipt(stored: Stored, landed: Landed, held: Held) -> Iterator[Finding]:
    """That the proposal's receipt tells the same as its record."""
    key = keys.receipt(stored.dataset, held["proposal"])
    receipt = stored.receipts.get(held["proposal"])
    if receipt is None:
        if key not in {found.key for found in stored.broken}:
            yield landed.finding("receipt.missing", f"the receipt of proposal {held['proposal']} is not there", key)
        return
    if receipt.status == "committing" and not landed.finished:
        return
    expected = {name: held.record[name] for name in SHARED} | {"status": "committed", "audit_key": _home(stored, held)}
    if receipt.version is not None:
        expected["version"] = landed.mark.version
    told = {name: getattr(receipt, name) for name in expected}
    wrong = [other(name, value, told[name]) for name, value in expected.items() if told[name] != value]
    if wrong:
        said = f"the receipt says otherwise than the record: {'; '.join(wrong)}"
        yield landed.finding("receipt.contradicts", said, key)


def _without_version(receipt: Receipt) -> Finding:
    said = f"the receipt of proposal {receipt.proposal} says that commit {receipt.commit} holds it, and no version "
    said += "of the master was made by that"
    return Finding("version.missing", said, receipt.key, receipt.commit, receipt.number, receipt.version)
