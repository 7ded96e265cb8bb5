"""Receipts: the state of a proposal, changed only by compare-and-swap on the receipt's ETag.

    accepted -> committing{commit, base number} -> committed
             -> previewed -> accepted
             -> in_review -> committing, or in_review again
             -> rejected | conflicted

A proposal that is in the inbox and has no receipt yet is `received`. Final states never change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from towline import keys
from towline.errors import Corrupt, NotFound, PreconditionFailed
from towline.store import ABSENT, Matches, ObjectStore

FORMAT = "towline.receipt/v1"
FINAL = frozenset({"committed", "rejected", "conflicted"})
IN_REVIEW = "in_review"
PREVIEWED = "previewed"


@dataclass(frozen=True)
class Receipt:
    """The outcome of a proposal, for its author.

    status       received | accepted | previewed | in_review | committing | committed | rejected | conflicted
    inbox        key, version, etag and size of the object that holds the proposal
    commit       while `committing` the commit that claimed it, when `committed` the one that holds it
    version      VersionId of the master that the commit made, once it is `committed`
    number       of that commit; `base_number` is the number that the claim was made on
    violations   (cut to a bound; `errors` and `warnings` are the true totals) and conflicts, in JSON form
    resolves     the conflicted proposal whose conflicts were decided in this one
    run          of an edit by SQL: its statement, what its query told, and what it would do (docs/sql-runs.md)
    review       what waits for stewards, and what they said of it (docs/review.md); empty where none is asked for
    quarantine   where the refused input lies whole
    history      every status with its time
    """

    proposal: str
    dataset: str
    status: str
    principal: str = ""
    user: str = ""
    kind: str = "edit"
    note: str = ""
    message: str = ""
    inbox: Mapping[str, object] = field(default_factory=dict)
    commit: str | None = None
    version: str | None = None
    number: int | None = None
    base_number: int | None = None
    violations: tuple[Mapping[str, object], ...] = ()
    errors: int = 0
    warnings: int = 0
    conflicts: tuple[Mapping[str, object], ...] = ()
    resolves: str | None = None
    review: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    quarantine: str | None = None
    snapshot_key: str | None = None
    audit_key: str | None = None
    changes_key: str | None = None
    chain: str | None = None
    history: tuple[Mapping[str, object], ...] = ()
    # Not part of its content: the ETag of the stored receipt, and the proposal's JSON where somebody has it at hand.
    etag: str | None = None
    letter: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @property
    def rests(self) -> bool:
        """Whether nothing happens to it unless a person acts: it is final, or waits for a steward."""
        return self.final or self.status in (IN_REVIEW, PREVIEWED)

    @property
    def key(self) -> str:
        return keys.receipt(self.dataset, self.proposal)

    def moved(self, status: str, at: datetime, **changes: object) -> Receipt:
        """This receipt in another status, with the step added to its history."""
        step = {"status": status, "at": at.isoformat(timespec="milliseconds")}
        return replace(self, status=status, history=(*self.history, step), **changes)  # type: ignore[arg-type]

    def to_json(self) -> dict[str, object]:
        content = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("etag", "letter")}
        return {"format": FORMAT, **content}

    @classmethod
    def from_json(cls, raw: Mapping[str, object], etag: str | None = None) -> Receipt:
        if raw.get("format") != FORMAT:
            raise Corrupt(f"a receipt of format {raw.get('format')!r}; this version reads {FORMAT}")
        known = {f.name for f in fields(cls)}
        content = {name: _frozen(value) for name, value in raw.items() if name in known}
        return cls(**{**content, "etag": etag})  # type: ignore[arg-type]


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def load(store: ObjectStore, dataset: str, proposal: str) -> Receipt | None:
    """The receipt as it stands; None while there is none."""
    try:
        blob = store.get(keys.receipt(dataset, proposal))
    except NotFound:
        return None
    return Receipt.from_json(json.loads(blob.body), blob.stat.etag)


def swap(store: ObjectStore, receipt: Receipt) -> Receipt | None:
    """Store `receipt` if the stored one is still the one it was made from (by ETag; none: there must be none).

    None when somebody else was faster. A put of ours whose answer was lost looks the same: the caller reads the
    receipt again and finds its own words there.
    """
    body = json.dumps(receipt.to_json(), ensure_ascii=False).encode()
    when = Matches(receipt.etag) if receipt.etag else ABSENT
    try:
        stat = store.put(receipt.key, body, when=when, content_type="application/json")
    except (PreconditionFailed, NotFound):
        return None
    return replace(receipt, etag=stat.etag)
