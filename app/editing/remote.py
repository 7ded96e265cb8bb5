"""What the editor asks of the store: use cases of `towline`, put together for a page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import pyarrow as pa
import pyarrow.compute as pc

from app.editing import paged
from app.editing.paged import PagedSheet
from app.editing.sheet import Sheet
from towline import history, keys, master, receipts
from towline.browse import Book
from towline.change import RowChange, key_json
from towline.contract import Contract
from towline.errors import Corrupt, NotFound, TowlineError, Unavailable
from towline.history import Record
from towline.inbox import user_of
from towline.master import Head
from towline.rows import difference
from towline.store import Blob
from towline.values import Key
from towline.workbench import Workbench

READ = 20  # commits of which the banner knows more than that they are there
COMPARED = 20_000  # rows of a large table that others may have changed for the banner to tell which
MARGIN = timedelta(minutes=1)  # between the clocks of two machines that commit
NOTES, LOOKED_AT = 5, 15  # notes that are offered again, and commits that are looked through for them


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


def open_sheet(bench: Workbench, dataset: str, commit: str | None = None) -> Sheet:
    """The head, or the commit with this id or number, to be edited. NotFound: there is no such dataset or commit, or no
    commit yet."""
    head = master.read(bench.store, dataset)
    if head is None:
        raise NotFound(f"the dataset {dataset!r} has no table yet; create it with `towline create`")
    if commit is not None and commit != head.commit:
        return _open_commit(bench, dataset, commit)
    if head.commit is None:
        raise NotFound(
            f"the table of {dataset!r} was written past Towline a moment ago; it can be edited once it is recorded as "
            "a commit, which happens with the next proposal or within minutes"
        )
    return _sheet(bench, head, head.commit)


def _open_commit(bench: Workbench, dataset: str, at: str) -> Sheet:
    commit = history.resolve(bench, dataset, at)
    found = master.at_commit(bench.store, bench.layout, dataset, commit)
    if found is None:
        raise NotFound(f"{dataset} has no commit {at}; its history lists them")
    return _sheet(bench, found, commit)


def _sheet(bench: Workbench, head: Head, commit: str) -> Sheet:
    """Of a large table no more than its footer is read."""
    contract = bench.contract(head.dataset, head.contract)
    if head.file.num_rows <= paged.LARGE:
        return Sheet(contract, commit, head.number, head.table)
    return PagedSheet(contract, commit, head.number, _book(bench, head, contract), head.rows(contract.key))


# Tabs that look at one version share what was decoded of it, for as long as one of them does.
_books: WeakValueDictionary[tuple[object, ...], Book] = WeakValueDictionary()


def _book(bench: Workbench, head: Head, contract: Contract) -> Book:
    stat = head.blob.stat
    return _books.setdefault((id(bench.store), stat.key, stat.version, contract.key), Book(head.file, contract.key))


@dataclass(frozen=True, eq=False)
class News:
    """A newer commit than the one that is being edited.

    records  the audit records of the newest commits since, newest first
    changes  what all of them changed together; nothing, where the columns changed
    others   how many more commits there were since
    is_told  whether `changes` was looked for: of a large table, not where it would be more than COMPARED rows
    """

    sheet: Sheet
    records: tuple[Record, ...]
    changes: tuple[RowChange, ...]
    others: int = 0
    is_told: bool = True


def news(bench: Workbench, sheet: Sheet) -> News:
    """What happened to the dataset since `sheet`. A commit whose record is not written yet has none here."""
    newer = open_sheet(bench, sheet.dataset)
    records = _since(bench, sheet)
    is_like = newer.contract.schema == sheet.contract.schema
    known = {number_of(record) for record in records} | {newer.number}
    others = max(0, newer.number - sheet.number - len(known))
    is_told = newer.num_rows <= paged.LARGE or (not others and sum(map(_rows_of, records)) <= COMPARED)
    key = sheet.contract.key
    changes = difference(sheet.whole, newer.whole, key).changes if is_like and is_told else ()
    return News(newer, records, changes, others, is_told)


def _rows_of(record: Record) -> int:
    """How many rows a proposal changed."""
    return sum(int(str(record[name])) for name in ("rows_inserted", "rows_updated", "rows_deleted"))


def number_of(record: Record) -> int:
    return int(str(record["number"]))


def _since(bench: Workbench, sheet: Sheet) -> tuple[Record, ...]:
    """The newest audit records after a commit's, newest first, a bounded number of them."""
    begin = keys.commit_time(sheet.commit) - MARGIN
    near = [place for place in history.places(bench, sheet.dataset) if place.at >= begin]
    return tuple(record for record in history.read(bench, near[:READ]) if number_of(record) > sheet.number)


Authors = Mapping[tuple[Key, str], Record]  # by key and column; column "" is the row


def authors(bench: Workbench, found: News, wanted: Iterable[Key]) -> Authors:
    """Who changed these rows last, cell by cell, as far as the records at hand tell. A changes file that cannot be read
    leaves its cells without an author."""
    contract = found.sheet.contract
    texts = {_key_text(key, contract.key): key for key in wanted}
    last: dict[tuple[Key, str], Record] = {}
    for record in found.records if texts else ():
        for text, column in _cells(bench, record, list(texts)):
            last.setdefault((texts[text], column), record)
            last.setdefault((texts[text], ""), record)
    return last


def _key_text(key: Key, names: tuple[str, ...]) -> str:
    """A key as a changes file says it."""
    return json.dumps(key_json(dict(zip(names, key, strict=True)), names), ensure_ascii=False)


def _cells(bench: Workbench, record: Record, texts: list[str]) -> list[tuple[str, str]]:
    """Key and column of the cells that a commit changed in these rows."""
    if not record.get("changes_key"):
        return []
    with suppress(NotFound, Corrupt):
        cells = history.cells(bench, record).select(["key", "column"])
        near = cells.filter(pc.is_in(cells["key"], pa.array(texts, pa.string())))
        return list(zip(near["key"].to_pylist(), near["column"].to_pylist(), strict=True))
    return []


def recent_notes(bench: Workbench, dataset: str, principal: str) -> tuple[str, ...]:
    """Why somebody changed a dataset the last times: different notes, the newest first."""
    who = user_of(principal)
    mine = [place for place in history.places(bench, dataset) if place.user == keys.slug(who)]
    records = history.read(bench, mine[:LOOKED_AT])
    notes = dict.fromkeys(str(record["note"]) for record in records if record["user"] == who)
    return tuple(notes)[:NOTES]
