"""The datasets: their heads, commits that are not finished, proposals that wait, and what was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from towline import keys, receipts
from towline.errors import NotFound
from towline.health import judge
from towline.health.checkup import Probe
from towline.health.fact import Fact, State, count, span
from towline.health.pipeline import Undecided, refused
from towline.master import Head
from towline.receipts import Receipt
from towline.reconcile import INTENT_AGE, INTENT_WINDOW
from towline.store import Blob
from towline.workbench import Workbench

AT_ONCE = 8  # datasets
# An intent of a commit that never came is reaped by the first run of Reconcile after its day.
REAPED = INTENT_AGE + timedelta(hours=1)


class Datasets:
    """All datasets of a bucket, looked at again and again: what cannot change is remembered in between."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._undecided: dict[str, Undecided] = {}

    def look(self) -> list[Fact]:
        listed = self._bench.store.list(keys.CONTRACTS)
        names = sorted(name for entry in listed if (name := keys.dataset_of_contract(entry.key)))
        if not names:
            return [Fact("datasets", "Datasets", "fine", "there is none yet; `towline create` makes one")]
        with ThreadPoolExecutor(min(AT_ONCE, len(names))) as pool:
            return [fact for facts in pool.map(self._of, names) for fact in facts]

    def _of(self, dataset: str) -> list[Fact]:
        """The facts of one dataset: what of it cannot be found out does not hide the rest."""
        bench, undecided = self._bench, self._undecided.setdefault(dataset, Undecided(self._bench, dataset))
        looks: list[tuple[tuple[str, ...], Callable[[], Iterable[Fact]]]] = [
            (("head", "unfinished"), lambda: head(bench, dataset)),
            (("waiting",), lambda: [judge.waiting(dataset, undecided.since(), bench.clock())]),
            (("quarantine",), lambda: [refused(bench, dataset)]),
        ]
        return [fact for names, look in looks for fact in Probe("datasets", names, look, dataset).answer()]


def head(bench: Workbench, dataset: str) -> Iterator[Fact]:
    """The head, and what is not finished at or above it (docs/commit-protocol.md)."""
    try:
        found = Head(dataset, Blob(bench.store.head(keys.master(dataset)), b""))
    except NotFound:
        do = "remove its delete marker, and its last version is the head again"
        yield Fact("datasets", "head", "red", "deleted past Towline", do, "The master is gone", dataset)
        return
    last = receipts.load(bench.store, dataset, found.proposal) if found.proposal else None
    if found.commit is None or not keys.is_commit(found.commit) or _is_copy(found, last):
        yield _external(bench, found)
        return
    at = keys.commit_time(found.commit)
    values = {"commit": found.commit, "number": found.number, "at": at.isoformat()}
    says = f"commit {found.number}, {span(bench.clock() - at)} ago"
    yield Fact("datasets", "head", "fine", says, about=dataset, values=values)
    yield _unfinished(bench, found, found.commit, last)


def _is_copy(found: Head, last: Receipt | None) -> bool:
    """Whether the head is a copy of the version that its commit made: the receipt names that one."""
    return last is not None and last.commit == found.commit and last.version not in (None, found.version)


def _external(bench: Workbench, found: Head) -> Fact:
    age = bench.clock() - found.blob.stat.modified
    state: State = "red" if age > judge.OVERDUE else "attention"
    says = f"written past Towline {span(age)} ago, and not recorded yet"
    do = "Reconcile records it as a commit of `external`; if it stays, its log says why"
    return Fact("datasets", "head", state, says, do, "Written past Towline", found.dataset, {"version": found.version})


def _unfinished(bench: Workbench, found: Head, commit: str, last: Receipt | None) -> Fact:
    """Whether the head's commit is finished: the last receipt that finishing writes says so."""
    if last is not None and last.commit == commit and last.status == "committed":
        return _intents(bench, found.dataset, commit)
    age = bench.clock() - keys.commit_time(commit)
    says, values = f"commit {found.number} is being finished, for {span(age)}", {"commit": commit, "finished": False}
    if age <= judge.SLOW:
        return Fact("datasets", "unfinished", "fine", says, about=found.dataset, values=values)
    state: State = "red" if age > judge.OVERDUE else "attention"
    do = "the next commit or the next run of Reconcile finishes it; read its log if it stays"
    return Fact("datasets", "unfinished", state, says, do, "A commit is not finished", found.dataset, values)


def _intents(bench: Workbench, dataset: str, commit: str) -> Fact:
    """Intents above the head: of commits that are about to land, or that a crash or a lost race kept from it."""
    listed = bench.store.list(f"{keys.INTENTS}{dataset}/", after=keys.intent(dataset, commit))
    names = [entry.key.rsplit("/", 1)[1].removesuffix(".json") for entry in listed]
    ages = [bench.clock() - keys.commit_time(name) for name in names if keys.is_commit(name)]
    values = {"commit": commit, "finished": True, "intents": len(ages)}
    if not ages:
        return Fact("datasets", "unfinished", "fine", "nothing", about=dataset, values=values)
    says = f"{count(len(ages), 'intent')} without a commit, the oldest for {span(max(ages))}"
    if any(REAPED < age < INTENT_WINDOW for age in ages):
        do = "nothing is lost by it; Reconcile should have reaped it after a day, so see whether that runs"
        return Fact("datasets", "unfinished", "attention", says, do, "Reconcile is late", dataset, values)
    return Fact("datasets", "unfinished", "fine", says, about=dataset, values=values)
