"""Towline as people use it, in one process: an edit is a proposal that is drafted, sent, received, committed and ends
in a receipt; the reader of a page, of a difference, of a cell's story is that of the editor and the command line."""

from __future__ import annotations

from bench.ways.place import COLUMN, KEY, PAGE, Edit, Place
from bench.ways.with_splice import NAME, Bucket, changes
from towline import blame, inbox, keys
from towline.browse import Book, View
from towline.commit import commit
from towline.dataset import Dataset
from towline.inbox import Arrival
from towline.store import Stat
from towline.workbench import Workbench

PERSON = "ana"


class Way(Bucket):
    name = "towline"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.bench = Workbench(self.store)
        self.dataset = Dataset(self.bench, NAME, PERSON)

    def one_cell(self, edits: list[Edit]) -> None:
        self.propose("one_cell", edits)

    def thousand(self, edits: list[Edit]) -> None:
        self.propose("thousand", edits)

    def insert(self, edits: list[Edit]) -> None:
        self.propose("insert", edits)

    def delete(self, edits: list[Edit]) -> None:
        self.propose("delete", edits)

    def propose(self, task: str, edits: list[Edit]) -> None:
        head = self.head()
        assert head.commit is not None, "the master was written past Towline"
        draft = self.dataset.rows(changes(head, task, edits), f"bench: {task}", head.commit)
        ticket = self.dataset.send(draft)
        stat = self.store.head(keys.inbox(NAME, PERSON, draft.name))  # what the event tells
        accepted = inbox.receive(self.bench, Arrival(stat.key, stat.version, stat.etag, stat.size, PERSON))
        assert accepted is not None, stat.key
        commit(self.bench, NAME, [accepted])
        receipt = ticket.receipt()
        assert receipt.status == "committed", receipt

    def diff(self) -> int:
        """Of the head and the commit before it."""
        head = self.head()
        assert head.parent is not None, "there is one commit only"
        return len(self.dataset.diff(head.parent, head.commit).changes)

    def page(self) -> int:
        return len(Book(self.head().file, KEY).page(View(), limit=PAGE))

    def blame(self) -> int:
        """Of a cell that some of the commits changed."""
        file = self.head().file
        (row,) = file.read([file.num_groups // 2], KEY).slice(0, 1).to_pylist()
        return len(blame.story(self.bench, NAME, key=(row["tow"], row["net"]), column=COLUMN))

    def forget(self, stat: Stat) -> None:
        super().forget(stat)
        super().forget(self.store.head(self.bench.layout.snapshot(NAME, stat.metadata["commit"])))


def start(place: Place) -> Way:
    return Way(place)
