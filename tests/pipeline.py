"""The whole pipeline in one process and in memory: what the queues and functions do, without them."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from towline import inbox, keys, reviewing
from towline.commit import commit
from towline.dataset import Dataset, Draft
from towline.inbox import Arrival
from towline.memory import MemoryStore
from towline.receipts import Receipt
from towline.workbench import Workbench


class Clock:
    """A clock that moves on by a second at every look, so that every moment in a test has its own time."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class Pipeline:
    """A workbench over a MemoryStore, and `pump`, which does what the deployed functions would do."""

    def __init__(self, bench: Workbench | None = None) -> None:
        clock = Clock()
        self.bench = bench or Workbench(MemoryStore(clock=clock), clock=clock, pause=lambda seconds: None)
        self.told: list[Receipt] = []
        self.bench.notify = self.told.append
        self._seen: set[tuple[str, str | None]] = set()

    @property
    def store(self) -> MemoryStore:
        assert isinstance(self.bench.store, MemoryStore)
        return self.bench.store

    def dataset(self, name: str, principal: str = "ana") -> Dataset:
        return Dataset(self.bench, name, principal)

    def arrivals(self) -> list[Arrival]:
        """The proposals and reviews that nobody was told of yet."""
        fresh = []
        for entry in (*self.store.list(keys.INBOX), *self.store.list(keys.REVIEWS)):
            stat = self.store.head(entry.key)
            if (entry.key, stat.version) not in self._seen:
                self._seen.add((entry.key, stat.version))
                fresh.append(Arrival(entry.key, stat.version, stat.etag, stat.size))
        return fresh

    def pump(self) -> list[Receipt]:
        """Deliver what waits in the inbox, and reviews: validate it, then commit what was accepted, a dataset at a
        time."""
        final, groups = [], defaultdict(list)
        for arrival in self.arrivals():
            is_review = arrival.key.startswith(keys.REVIEWS)
            receipt = (reviewing if is_review else inbox).receive(self.bench, arrival)
            if receipt is not None:
                (final if receipt.final else groups[receipt.dataset]).append(receipt)
        for name, waiting in groups.items():
            final += commit(self.bench, name, waiting)
        return final

    def send(self, dataset: Dataset, *drafts: Draft) -> list[Receipt]:
        """Send drafts, deliver them together, and return their final receipts in the same order."""
        tickets = [dataset.send(draft) for draft in drafts]
        self.pump()
        return [ticket.receipt() for ticket in tickets]
