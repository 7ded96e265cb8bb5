"""What verifying a history finds, and what is to be done about each kind of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from towline.health.fact import count
from towline.keys import DATA

# Every kind of break, with the way out. docs/runbook.md has a section that tells more.
_OLD = "bring the object back from the bucket's versions (docs/runbook.md, “A history is not whole”)"
_WHO = "find out who did it (CloudTrail), and what else they did"
BREAKS: Mapping[str, str] = {
    "version.missing": "a version of the master was deleted for good; its table is in the snapshot, if that is there",
    "version.unrecorded": "the next run of Reconcile records it as a commit of `external`",
    "version.forged": f"put the table of the commit before it back by a restore once it is recorded; {_WHO}",
    "version.contradicts": f"compare it with the snapshot and the records of its commit; {_WHO}",
    "intent.missing": "remove the intent's delete marker; then the next run of Reconcile completes the commit",
    "intent.contradicts": f"the record, the receipt or the intent was rewritten: compare their versions; {_WHO}",
    "master.deleted": "remove the delete marker, and the last version is the head again",
    "record.missing": _OLD,
    "record.unreadable": _OLD,
    "record.altered": _OLD,
    "record.rewritten": _OLD,
    "record.misplaced": _OLD,
    "record.contradicts": _OLD,
    "record.inserted": f"no commit made it: delete it, and {_WHO}",
    "record.twice": "delete the object that lies at the wrong key",
    "snapshot.missing": "copy the version of the master to its key, or bring it back from the bucket's versions",
    "snapshot.altered": _OLD,
    "snapshot.stray": "no commit made it: delete it, or keep it elsewhere",
    "changes.missing": _OLD,
    "changes.altered": _OLD,
    "changes.stray": "no record names it: delete it, or keep it elsewhere",
    "table.differs": "keep all of it, and tell the developers: what is stored is what was written, and does not fit",
    "receipt.missing": _OLD,
    "receipt.unreadable": _OLD,
    "receipt.contradicts": _OLD,
    "contract.altered": _OLD,
    "archive.stray": "`prune` did not put it there: delete it, or keep it elsewhere",
}
# What is worth saying and breaks nothing.
NOTES: Mapping[str, str] = {
    "commit.unfinished": "the next commit or the next run of Reconcile completes it",
    "version.external": "it is recorded: nothing needs to be done",
    "version.repeated": "it changed nothing: nothing needs to be done",
    "version.before": "it is from before the dataset was Towline's: nothing needs to be done",
    "master.was_deleted": "it is there again: nothing needs to be done",
}


@dataclass(frozen=True)
class Finding:
    """One thing that was found: what was expected, and what is there (`message`), and where: the object's `key`, the
    `commit` and its `number`, the `version` of the master."""

    kind: str
    message: str
    key: str = ""
    commit: str | None = None
    number: int | None = None
    version: str | None = None

    @property
    def is_break(self) -> bool:
        return self.kind in BREAKS

    @property
    def do(self) -> str:
        """What to do about it."""
        return {**BREAKS, **NOTES}[self.kind]

    @property
    def says(self) -> str:
        """What was found and where, in one line."""
        number = f"commit {self.number}: " if self.number is not None else ""
        where = f"; {self.key}" if self.key and self.key not in self.message else ""
        version = f" (version {self.version})" if self.key.startswith(DATA) and self.version else ""
        return f"{number}{self.kind}: {self.message}{where}{version}"

    @property
    def place(self) -> float:
        """Where in the history it belongs; what belongs nowhere comes last."""
        return math.inf if self.number is None else self.number

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "do": self.do}


@dataclass(frozen=True)
class Verdict:
    """What came of verifying a dataset: `findings` break the history, `notes` do not; both in the order of the history.

    commits, versions   how many were looked at
    head, chain         the newest commit and the chain value of its last record: who keeps them elsewhere can tell
                        later that the history still leads here
    quick               whether the tables were left out
    """

    dataset: str
    commits: int
    versions: int
    head: str | None
    chain: str | None
    quick: bool
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]

    @property
    def says(self) -> str:
        """The verdict in one line."""
        looked = f"{count(self.commits, 'commit')} and {count(self.versions, 'version')} of the master"
        if self.ok:
            return f"{self.dataset} is whole: {looked}" + (
                ", tables left out" if self.quick else ", every table replayed"
            )
        breaks = count(len(self.findings), "break")
        return f"{self.dataset} is not whole: {breaks} in {looked}; the first is {self.findings[0].says}"

    @property
    def ok(self) -> bool:
        return not self.findings

    def to_json(self) -> dict[str, object]:
        lists = {name: [each.to_json() for each in getattr(self, name)] for name in ("findings", "notes")}
        return {"ok": self.ok, **asdict(self), **lists}
