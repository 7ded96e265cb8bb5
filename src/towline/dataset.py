"""A dataset as a person meets it: read it, propose a change, wait for the outcome, look at its history."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa

from towline import catalog, history, keys, master, plan, proposals, receipts, restore
from towline.change import RowChange
from towline.contract import Contract
from towline.diff import Diff
from towline.errors import NotFound, OutcomeUnknown, PreconditionFailed, UsageError
from towline.inbox import PART_OF
from towline.master import Head
from towline.parquet.source import FileSource
from towline.parquet.tablefile import TableFile
from towline.plan import Plan
from towline.proposals import TABLE_ENDINGS, Proposal
from towline.receipts import Receipt
from towline.restore import Restore
from towline.rows import Rows
from towline.store import ABSENT, file_parts
from towline.values import Value
from towline.violation import Report
from towline.workbench import Workbench

FIRST_LOOK, LONGEST_PAUSE = 0.01, 0.5  # seconds between two looks at a receipt; doubled in between
PATIENCE = 60.0  # seconds that `wait` waits unless told otherwise


@dataclass(frozen=True)
class Ticket:
    """A proposal on its way. `beyond`: a status in which it does not rest any more, for somebody said how to go on."""

    bench: Workbench
    dataset: str
    proposal: str
    beyond: str = ""

    def receipt(self) -> Receipt:
        """The receipt as it stands; `received` while nobody has looked at the proposal yet."""
        found = receipts.load(self.bench.store, self.dataset, self.proposal)
        return found or Receipt(self.proposal, self.dataset, "received")

    def wait(
        self,
        timeout: float = PATIENCE,
        seen: Callable[[Receipt], None] = lambda receipt: None,
        until: Callable[[Receipt], bool] | None = None,
    ) -> Receipt:
        """The receipt once it is final, or rests until a person acts: in review, previewed (or once `until` says so).
        `seen` is told of every status on the way. OutcomeUnknown when that takes more than `timeout` seconds: the
        proposal is in the inbox, and will be decided."""
        deadline, pause, status = time.monotonic() + timeout, FIRST_LOOK, ""
        while True:
            receipt = self.receipt()
            if receipt.status != status:
                status = receipt.status
                seen(receipt)
            if until(receipt) if until else receipt.rests and receipt.status != self.beyond:
                return receipt
            if time.monotonic() >= deadline:
                raise OutcomeUnknown(
                    f"proposal {self.proposal} is still {receipt.status} after {timeout:g} s; it is safe in the inbox, "
                    f"and `towline status {self.proposal}` tells its outcome"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)


@dataclass(frozen=True)
class Draft:
    """A proposal that is ready to be sent: its id, its JSON, and the table file of the same name that goes with it: its
    bytes, or where it lies on this machine, if it is too large for that."""

    proposal: str
    body: bytes
    file_name: str = ""
    file: bytes | Path = b""
    ending: str = ".json"

    @property
    def name(self) -> str:
        """What its JSON is called in the inbox."""
        return self.proposal + self.ending

    @property
    def content(self) -> bytes | TableFile:
        """The table file as the functions will see it. Corrupt: it is large, and no Parquet file."""
        return TableFile.foreign(FileSource(self.file)) if isinstance(self.file, Path) else self.file


@dataclass
class Dataset:
    """One dataset, seen by one principal. Everything is read fresh from the store."""

    bench: Workbench
    name: str
    principal: str

    def contract(self) -> Contract:
        """NotFound: there is no such dataset."""
        return self.bench.contract(self.name)

    def table(self, at: str | None = None) -> tuple[str, pa.Table]:
        """A commit's id and table; `at` as in `towline.history.resolve`."""
        return history.table_at(self.bench, self.name, at)

    def rows(
        self,
        changes: Iterable[RowChange],
        note: str,
        base: str,
        mode: str | None = None,
        *,
        resolves: str | None = None,
    ) -> Draft:
        """A draft of single rows' changes, made on the commit `base`."""
        body = self._json(note, base=base, mode=mode, changes=changes, resolves=resolves)
        return Draft(self.bench.new_id(), body)

    def file(
        self,
        name: str,
        body: bytes | Path,
        note: str,
        base: str,
        mode: str | None = None,
        *,
        partial: bool = False,
        resolves: str | None = None,
    ) -> Draft:
        """A draft of a whole table in a file (`Draft.file`), which replaces that of `base` (`partial`: rows that it
        lacks stay)."""
        proposal = self.bench.new_id()
        beside = proposal + _ending(name)
        file = {"name": beside, "original": name, "rows": "some" if partial else "all"}
        about = self._json(note, base=base, mode=mode, kind="file", file=file, resolves=resolves)
        return Draft(proposal, about, beside, body)

    def create(self, name: str, body: bytes | Path, contract: Contract, note: str) -> Draft:
        """A draft of a new dataset from a table file. BadProposal: its name is that of another table in SQL."""
        catalog.check_name(self.name)
        proposal = self.bench.new_id()
        beside = proposal + _ending(name)
        raw = json.loads(contract.to_json())
        return Draft(
            proposal,
            self._json(note, kind="create", file={"name": beside, "original": name}, contract=raw),
            beside,
            body,
        )

    def wish(
        self, at: str, where: Mapping[str, Value] | None = None, columns: Sequence[str] = (), *, undo: bool = False
    ) -> tuple[Restore, str]:
        """What `restore` takes, and its base: that the head shall be as commit `at` (as in `history.resolve`) left the
        table; with `undo`, that what commit `at` changed is taken back, and what was changed since stays. Only the rows
        that hold the values of `where` at one of the two commits, and only these columns; without them all.

        NotFound: no such commit or row. BadProposal: no such column, or there is nothing to restore.
        """
        contract, to = self.contract(), history.resolve(self.bench, self.name, at)
        base = None
        if undo:
            base, to = to, history.parent(self.bench, self.name, to)
        head, past = (history.head_at(self.bench, self.name, at) for at in (base, to))
        assert head.commit is not None  # noqa: S101 - a commit's
        wanted = Restore(to, columns=restore.check_columns(columns, contract))
        rows = head.rows(contract.key), past.rows(contract.key)
        return restore.choose(wanted, contract, *rows, where or {}), head.commit

    def restore(self, wanted: Restore, base: str, note: str, mode: str | None = None) -> Draft:
        """A draft that makes of what is as in the commit `base` what it was in another one."""
        content = wanted.to_json(self.contract())
        return Draft(self.bench.new_id(), self._json(note, base=base, mode=mode, kind="restore", restore=content))

    def sql(
        self, statement: str, note: str, base: str | None = None, mode: str | None = None, *, preview: bool = False
    ) -> Draft:
        """A draft of an edit in SQL, of the head when it is run unless `base` names a commit. `preview`: it is run, and
        nothing is committed before its author says so."""
        body = self._json(note, base=base, mode=mode, kind="sql", sql=statement, preview=preview)
        return Draft(self.bench.new_id(), body, ending=".sql.json")

    def _json(self, note: str, *, base: str | None = None, **fields: Any) -> bytes:
        return proposals.to_json(dataset=self.name, note=proposals.check_note(note), base=base, **fields)

    def preview(self, draft: Draft) -> Plan:
        """What a draft would do to the head as it is now, with nothing written."""
        return self.plan(lambda contract: proposals.from_json(draft.body, contract, lambda name: draft.content))[0]

    def plan(self, read: Callable[[Contract | None], tuple[Proposal | None, Report]]) -> tuple[Plan, int]:
        """What a proposal would do to the head as it is now, and the head's number (0: there is none). `read` reads it
        by the head's contract (None: there is no dataset yet)."""
        head = master.read(self.bench.store, self.name)
        contract = (
            self.bench.contract(self.name, head.contract if head else None) if self.bench.has(self.name) else None
        )
        number = head.number if head else 0
        proposal, report = read(contract)
        if proposal is None or not report.ok:
            return Plan(report=report), number
        if proposal.kind == "create":
            return plan.create(proposal, exists=contract is not None), number
        if head is None or contract is None:
            raise NotFound(f"the dataset {self.name!r} has no commit yet")
        base = self._rows_of(proposal.base, head, contract)
        past = self._rows_of(proposal.restore.commit, head, contract) if proposal.restore else None
        return plan.plan(proposal, contract, head.rows(contract.key), base, past), number

    def _rows_of(self, commit: str | None, head: Head, contract: Contract) -> Rows:
        """A commit's rows; the head's where none is named, as of a table file that says nothing of its base."""
        if commit is None or commit == head.commit:
            return head.rows(contract.key)
        return history.head_at(self.bench, self.name, commit).rows(contract.key)

    def send(self, draft: Draft) -> Ticket:
        """Put a draft into the inbox: from here on it is kept, whatever happens. The JSON comes last, because it is
        what the others act on."""
        if draft.file_name:
            self._put(draft.file_name, draft.file, {PART_OF: draft.name})
        self._put(draft.name, draft.body, {})
        return Ticket(self.bench, self.name, draft.proposal)

    def _put(self, name: str, body: bytes | Path, metadata: Mapping[str, str]) -> None:
        """Put once: a name of ours that is there already is our own put, whose answer was lost."""
        store, key = self.bench.store, keys.inbox(self.name, self.principal, name)
        with suppress(PreconditionFailed):
            if isinstance(body, Path):
                store.assemble(key, file_parts(body), when=ABSENT, metadata=metadata)
            else:
                store.put(key, body, when=ABSENT, metadata=metadata)

    def status(self, proposal: str) -> Receipt:
        """The receipt of a proposal; NotFound when the inbox never had it."""
        found = receipts.load(self.bench.store, self.name, proposal) if keys.is_proposal(proposal) else None
        if found is None:
            raise NotFound(f"{self.name} has no receipt of a proposal {proposal}")
        return found

    def log(self) -> list[Mapping[str, object]]:
        """The audit records, newest first."""
        return history.log(self.bench, self.name)

    def diff(self, old: str, new: str | None = None) -> Diff:
        return history.difference(self.bench, self.name, old, new)


def _ending(name: str) -> str:
    ending = PurePath(name).suffix.lower()
    if ending not in TABLE_ENDINGS:
        raise UsageError(f"{name!r} is no table file; its name must end in {', '.join(TABLE_ENDINGS)}")
    return ending
