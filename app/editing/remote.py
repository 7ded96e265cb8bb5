"""What the editor asks of the store: use cases of `towline`, put together for a page."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.editing.sheet import Sheet
from towline import history, keys, master, receipts
from towline.change import RowChange
from towline.dataset import Ticket
from towline.diff import diff
from towline.errors import NotFound, OutcomeUnknown, TowlineError, Unavailable
from towline.history import Record
from towline.master import Head
from towline.receipts import Receipt
from towline.store import Blob
from towline.workbench import Workbench

LOOK = 0.3  # seconds between two signs of life while a proposal is under way
PATIENCE = 20.0  # seconds after which that takes long
PATIENCE = 20.0  # seconds after which that takes long


@dataclass(frozen=True)
class Glance:
    """The head of a dataset at one moment. `problem` says why there is none to see; `down`: because the store does
    not answer."""

    at: datetime
    commit: str = ""
    number: int = 0
    author: str = ""
    note: str = ""
    problem: str = ""
    down: bool = False

    @property
    def committed(self) -> datetime | None:
        return keys.commit_time(self.commit) if self.commit else None


def glance(bench: Workbench, dataset: str, last: Glance | None = None) -> Glance:
    """Look at the head: one small request, and another one where the commit is not the one of the `last` look."""
    at = bench.clock()
    try:
        head = Head(dataset, Blob(bench.store.head(keys.master(dataset)), b""))
        if last is not None and last.commit == head.commit:
            return Glance(at, last.commit, last.number, last.author, last.note)
        receipt = receipts.load(bench.store, dataset, head.proposal) if head.proposal else None
    except TowlineError as error:
        return Glance(at, problem=str(error), down=isinstance(error, Unavailable))
    author, note = (receipt.user, receipt.note) if receipt else ("", "")
    return Glance(at, head.commit or "", head.number, author, note)


def open_sheet(bench: Workbench, dataset: str) -> Sheet:
    """The head, to be edited. NotFound: there is no such dataset, or it has no commit yet."""
    head = master.read(bench.store, dataset)
    if head is None:
        raise NotFound(f"the dataset {dataset!r} has no table yet; create it with `towline create`")
    if head.commit is None:
        raise NotFound(
            f"the table of {dataset!r} was written past Towline a moment ago; it can be edited once it is recorded as "
            "a commit, which happens with the next proposal or within minutes"
        )
    return Sheet(bench.contract(dataset, head.contract), head.commit, head.number, head.table)


@dataclass(frozen=True)
class News:
    """A newer commit than the one that is being edited: the audit records since, newest first, and what they changed
    together (nothing, where the columns changed)."""

    sheet: Sheet
    records: tuple[Record, ...]
    changes: tuple[RowChange, ...]


def news(bench: Workbench, sheet: Sheet) -> News:
    """What happened to the dataset since `sheet`. A commit whose record is not written yet has none here."""
    newer = open_sheet(bench, sheet.dataset)
    records = (r for r in history.log(bench, sheet.dataset) if int(str(r["number"])) > sheet.number)
    is_like = newer.contract.schema == sheet.contract.schema
    changes = diff(sheet.table, newer.table, sheet.contract.key).changes if is_like else ()
    return News(newer, tuple(records), changes)


def follow(ticket: Ticket, tell: Callable[[Receipt], None]) -> Receipt | None:
    """Wait for the outcome of a proposal; None when there is none within PATIENCE. `tell` hears of every
    status, and again every now and then, so that whoever waits can be called away."""
    deadline = time.monotonic() + PATIENCE
    latest = Receipt(ticket.proposal, ticket.dataset, "received")

    def heard(receipt: Receipt) -> None:
        nonlocal latest
        latest = receipt
        tell(receipt)

    while time.monotonic() < deadline:
        try:
            return ticket.wait(LOOK, heard)
        except OutcomeUnknown:
            tell(latest)
    return None
