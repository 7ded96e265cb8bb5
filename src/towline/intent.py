"""The intent: what a commit is about to do, written before the master changes.

It holds all that finishing the commit needs, except the VersionId that the commit will make: whoever finds a head whose
commit is not finished completes it from here, and writes byte for byte what the commit's author would have written.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from towline import audit, keys
from towline.errors import Contended, Corrupt, NotFound, PreconditionFailed
from towline.store import ABSENT, ObjectStore

FORMAT = "towline.intent/v1"


@dataclass(frozen=True)
class Entry:
    """One proposal of the commit: the draft of its audit record, and its changes file."""

    proposal: str
    draft: audit.Record
    audit_key: str
    changes: bytes

    @property
    def changes_key(self) -> str:
        return str(self.draft["changes_key"])


@dataclass(frozen=True)
class Intent:
    """A commit to be. `contract` is the contract to store with it, when the commit brings one."""

    dataset: str
    commit: str
    number: int
    parent: str | None
    snapshot_key: str
    prev_chain: str
    entries: tuple[Entry, ...]
    contract: Mapping[str, object] | None = None

    def records(self, version: str) -> list[dict[str, object]]:
        """The audit records, once the commit's VersionId is known: a chain within the commit, too."""
        chain, records = self.prev_chain, []
        for entry in self.entries:
            record = audit.seal(entry.draft, new_version=version, prev_chain=chain)
            chain = str(record["chain"])
            records.append(record)
        return records

    def to_bytes(self) -> bytes:
        entries = [
            {
                "proposal": entry.proposal,
                "draft": entry.draft,
                "audit_key": entry.audit_key,
                "changes": b64encode(entry.changes).decode(),
            }
            for entry in self.entries
        ]
        content = {
            "format": FORMAT,
            "dataset": self.dataset,
            "commit": self.commit,
            "number": self.number,
            "parent": self.parent,
            "snapshot_key": self.snapshot_key,
            "prev_chain": self.prev_chain,
            "contract": self.contract,
            "entries": entries,
        }
        return json.dumps(content, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> Intent:
        raw = json.loads(body)
        if raw.pop("format", None) != FORMAT:
            raise Corrupt(f"an intent of an unknown format; this version reads {FORMAT}")
        entries = tuple(
            Entry(e["proposal"], e["draft"], e["audit_key"], b64decode(e["changes"])) for e in raw["entries"]
        )
        return cls(**{**raw, "entries": entries})


def save(store: ObjectStore, intent: Intent) -> None:
    """Write the intent. Its commit id is fresh, so an intent that is there already is our own, written twice."""
    try:
        store.put(keys.intent(intent.dataset, intent.commit), intent.to_bytes(), when=ABSENT)
    except Contended:
        raise  # 409 does not say that it is there
    except PreconditionFailed:
        return


def load(store: ObjectStore, dataset: str, commit: str) -> Intent | None:
    """The intent of a commit; None when there is none."""
    try:
        return Intent.from_bytes(store.get(keys.intent(dataset, commit)).body)
    except NotFound:
        return None
