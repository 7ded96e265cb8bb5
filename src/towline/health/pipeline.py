"""What the store tells of the functions: Reconcile's last run, and which proposals they have not decided yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from towline import __version__, inbox, keys, receipts, reconcile
from towline.errors import Refused
from towline.health import judge
from towline.health.fact import Fact
from towline.inbox import Arrival
from towline.store import Entry
from towline.workbench import Workbench

# As far back as a scheduled Reconcile looks. What is older was decided, or an alarm has been on for two days.
LOOK_BACK = timedelta(days=2)
READ = 200  # receipts read at a look, the newest first; those that are final are never read again
READERS = 16


def runs(bench: Workbench) -> Iterator[Fact]:
    """Reconcile's last run, and the version of Towline that the functions have."""
    run = reconcile.last_run(bench.store)
    yield judge.last_run(run, bench.clock())
    if run is not None:
        do = "deploy the newer one (docs/aws.md), or update yours (`uv sync`)"
        yield judge.version("Functions", run.version, __version__, do)


@dataclass
class Undecided:
    """The proposals of a dataset that have no final receipt. Remembers (key and ETag) the receipts that are final."""

    bench: Workbench
    dataset: str
    _final: set[tuple[str, str]] = field(default_factory=set)

    def since(self) -> dict[str, datetime]:
        """Those of the last two days, and since when they have been where they are."""
        start = self.bench.clock() - LOOK_BACK
        listed = list(self.bench.store.list(f"{keys.RECEIPTS}{self.dataset}/"))
        fresh = [e for e in listed if e.modified >= start and (e.key, e.etag) not in self._final]
        fresh = sorted(fresh, key=lambda entry: entry.modified, reverse=True)[:READ]
        with ThreadPoolExecutor(READERS) as pool:
            is_final = list(pool.map(self._is_final, fresh))
        undecided = [entry for entry, final in zip(fresh, is_final, strict=True) if not final]
        unseen = self._unseen(start, {_name(entry) for entry in listed})
        return {_name(entry): entry.modified for entry in (*unseen, *undecided)}

    def _is_final(self, entry: Entry) -> bool:
        receipt = receipts.load(self.bench.store, self.dataset, _name(entry))
        if receipt is None or not receipt.rests:
            return False
        self._final.add((entry.key, entry.etag))
        return True

    def _unseen(self, start: datetime, known: set[str]) -> Iterator[Entry]:
        """Inbox objects without a receipt, under the names that their receipts would have."""
        for entry in self.bench.store.list(f"{keys.INBOX}{self.dataset}/"):
            where = keys.parse_inbox(entry.key)
            if where is None or entry.modified < start or (entry.key.endswith("/") and not entry.size):
                continue
            if where.proposal not in known and not self._is_part(entry):
                yield Entry(keys.receipt(self.dataset, where.proposal), entry.size, entry.etag, entry.modified)

    def _is_part(self, entry: Entry) -> bool:
        """Whether it is a file whose proposal has not come. What may not be read is taken for a proposal."""
        try:
            return not entry.key.endswith(".json") and inbox.is_part(
                self.bench, Arrival(entry.key, None, entry.etag, entry.size)
            )
        except Refused:
            return False


def _name(entry: Entry) -> str:
    return entry.key.rsplit("/", 1)[1].removesuffix(".json")


def refused(bench: Workbench, dataset: str) -> Fact:
    """What lies in quarantine: how many, and since when the newest."""
    found = list(bench.store.list(f"{keys.QUARANTINE}{dataset}/"))
    entries = {tuple(entry.key.split("/")[2:4]) for entry in found}
    return judge.quarantine(dataset, len(entries), _newest(found))


def _newest(found: Iterable[Entry]) -> datetime | None:
    return max((entry.modified for entry in found), default=None)
