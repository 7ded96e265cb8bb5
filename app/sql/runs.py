"""SQL edits of one person: checked, sent, looked at, promoted or dropped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.past.post import Post
from towline import keys, preview, proposals, receipts, sqledit
from towline.contract import Contract
from towline.dataset import Dataset
from towline.errors import NotFound, PreconditionFailed, Refused
from towline.mine import Letter
from towline.preview import Preview
from towline.receipts import Receipt
from towline.store import ABSENT

LISTED = 20  # runs, newest first
WORD = "towline.word/v1"
Outcome = tuple[Letter, Receipt]


@dataclass(frozen=True)
class Runs:
    """The runs of one person on one dataset."""

    dataset: Dataset

    def check(self, statement: str, contract: Contract, others: Sequence[str]) -> str:
        """The verb of an edit. Raises SqlRefused, with its place, where it would not be run."""
        bench = self.dataset.bench
        known = {name: bench.recent_contract(name)[0] for name in others if name != contract.dataset}
        base = '"towline"."run_base"'  # nothing is run here: any name will do
        return sqledit.compile(statement, contract, base=base, others=known, database="towline").verb

    def start(self, statement: str, note: str) -> str:
        """Send an edit to be previewed; its id. Raises BadProposal where the note says nothing."""
        run = self.dataset.bench.new_id()
        raw = {
            "format": proposals.FORMAT,
            "dataset": self.dataset.name,
            "kind": "sql",
            "note": proposals.check_note(note),
            "base": None,
            "mode": None,
            "sql": statement,
            "preview": True,
        }
        self._put(f"{run}.sql.json", raw)
        return run

    def promote(self, shown: Preview) -> None:
        """Have exactly this committed. Refused: a word on it was sent before."""
        self._say(shown.run, "promote", {"effect": shown.effect})

    def discard(self, run: str) -> None:
        """Have it dropped, whether it waits for a word or is still going. Refused: a word on it was sent before."""
        self._say(run, "discard", {})

    def _say(self, run: str, word: str, more: dict[str, object]) -> None:
        raw = {"format": WORD, "dataset": self.dataset.name, "proposal": run, **more}
        try:
            self._put(f"{run}.{word}.json", raw)
        except PreconditionFailed:
            raise Refused("this was said of it before; a word on a preview counts once") from None

    def _put(self, name: str, raw: dict[str, object]) -> None:
        key = keys.inbox(self.dataset.name, self.dataset.principal, name)
        self.dataset.bench.store.put(key, json.dumps(raw, ensure_ascii=False).encode(), when=ABSENT)

    def receipt(self, run: str) -> Receipt:
        """The receipt as it stands; `received` while nobody has looked at it. NotFound: no such run was sent."""
        found = receipts.load(self.dataset.bench.store, self.dataset.name, run) if keys.is_proposal(run) else None
        if found is not None:
            return found
        key = keys.inbox(self.dataset.name, self.dataset.principal, f"{run}.sql.json")
        self.dataset.bench.store.head(key)
        return Receipt(run, self.dataset.name, "received", self.dataset.principal, kind="sql")

    def preview(self, run: str) -> Preview | None:
        """What it would do; None where it did not get that far."""
        try:
            body = self.dataset.bench.store.get(keys.Run(self.dataset.name, run).preview).body
        except NotFound:
            return None
        return preview.from_json(body)

    def mine(self, post: Post) -> list[Outcome]:
        """The newest runs of this person, with what became of each."""
        name, principal = self.dataset.name, self.dataset.principal
        entries = [e for e in self.dataset.bench.store.list(keys.inbox(name, principal, "")) if _is_run(e.key)]
        entries = sorted(entries, key=lambda entry: (entry.modified, entry.key), reverse=True)[:LISTED]
        ids = (keys.InboxKey(name, principal, entry.key.rsplit("/", 1)[1]).proposal for entry in entries)
        letters = [Letter(name, run, e.key, e.etag, e.modified) for run, e in zip(ids, entries, strict=True)]
        return post.outcomes(letters)


def _is_run(key: str) -> bool:
    return key.endswith(".sql.json")
