"""What puts right what a crash or a lost event left behind; run on a schedule, and whenever the local stack starts.

It finishes commits, records masters that were written past Towline, finds proposals that nobody decided and reviews
that nobody heard, reaps intents of commits that never came, and drops the parts of masters that nobody joined. Beside
a note of the run itself and the blocks of `towline blame`, it writes nothing that the next delivery would not have
written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from towline import __version__, archive, blocks, commit, inbox, keys, master, receipts, reviewing
from towline.bulk import words
from towline.errors import Corrupt, NotFound, TowlineError
from towline.inbox import Arrival
from towline.receipts import Receipt
from towline.store import Entry, ObjectStore
from towline.workbench import Workbench

# A put that was thought lost may still land; by then it has (S3 answers or drops a request within minutes).
INTENT_AGE = timedelta(days=1)
# What was begun to be assembled longer ago has lost its author: no function lives for more than fifteen minutes.
UPLOAD_AGE = timedelta(hours=1)
# Each run looks at the intents that came of age since the runs before it; the rest it has seen.
INTENT_WINDOW = timedelta(days=3)

FORMAT = "towline.reconcile/v1"


@dataclass(frozen=True)
class Findings:
    """What a run found. `unseen` go to the validator again, `undecided` to the committer. `given_up` are objects that
    were begun to be assembled, and never ended. `problems` are datasets that need a person, with the reason."""

    datasets: tuple[str, ...]
    unseen: tuple[Arrival, ...]
    undecided: tuple[Receipt, ...]
    reaped: tuple[str, ...]
    problems: tuple[str, ...]
    given_up: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        return {
            "datasets": list(self.datasets),
            "unseen": [arrival.key for arrival in self.unseen],
            "undecided": [receipt.proposal for receipt in self.undecided],
            "reaped": list(self.reaped),
            "given_up": list(self.given_up),
            "problems": list(self.problems),
        }


@dataclass(frozen=True)
class Run:
    """What a run leaves behind for whoever asks how things are (`towline.health`): when it ended, how often it is meant
    to run, how many proposals it queued again, what needs a person, with which version of Towline, and where the two
    queues are, which no researcher could find otherwise."""

    at: datetime
    every: timedelta
    requeued: int = 0
    problems: tuple[str, ...] = ()
    version: str = ""
    queues: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        return {
            "format": FORMAT,
            "at": self.at.isoformat(timespec="seconds"),
            "every_minutes": self.every.total_seconds() / 60,
            "requeued": self.requeued,
            "problems": list(self.problems),
            "version": self.version,
            "queues": dict(self.queues),
        }


def note(bench: Workbench, found: Findings, every: timedelta, queues: Mapping[str, str]) -> Run:
    """Write down what a run found, in the place of the run before. `every` lies between two runs; `queues` are the URLs
    of `validate` and `apply`."""
    requeued = len(found.unseen) + len(found.undecided)
    run = Run(bench.clock(), every, requeued, found.problems, __version__, queues)
    bench.store.put(keys.LAST_RUN, json.dumps(run.to_json()).encode(), content_type="application/json")
    return run


def last_run(store: ObjectStore) -> Run | None:
    """What the last run left; None where none was noted yet. Corrupt: it cannot be read."""
    try:
        raw = json.loads(store.get(keys.LAST_RUN).body)
        if raw["format"] != FORMAT:
            raise ValueError(f"its format is {raw['format']!r}")
        every, at = timedelta(minutes=raw["every_minutes"]), datetime.fromisoformat(raw["at"])
        return Run(at, every, raw["requeued"], tuple(raw["problems"]), raw["version"], raw["queues"])
    except NotFound:
        return None
    except (ValueError, KeyError, TypeError) as error:
        said = f"{keys.LAST_RUN} cannot be read ({error!r}): the next run of Reconcile writes it anew"
        raise Corrupt(said) from error


def problems(store: ObjectStore, dataset: str) -> list[str]:
    """What the last run could not put in order of a dataset, in its words."""
    run = last_run(store)
    about = f"{dataset}: "
    return [said.removeprefix(about) for said in (run.problems if run else ()) if said.startswith(about)]


def reconcile(bench: Workbench, since: datetime | None = None, until: datetime | None = None) -> Findings:
    """Put the datasets in order and find what waits in the inbox, and what was reviewed. Only proposals and reviews
    from `since` (None: all) up to `until` (None: now) are looked at: younger ones are still under way."""
    datasets = tuple(sorted(d for e in bench.store.list(keys.CONTRACTS) if (d := keys.dataset_of_contract(e.key))))
    problems = [problem for dataset in datasets if (problem := _put_in_order(bench, dataset))]
    unseen: list[Arrival] = []
    undecided: list[Receipt] = []
    for entry in _between(bench, keys.INBOX, since, until):
        _sort_out(bench, entry, unseen, undecided)
    reviewed = (reviewing.unheard(bench, _arrival(entry)) for entry in _between(bench, keys.REVIEWS, since, until))
    undecided += {receipt.key: receipt for receipt in reviewed if receipt is not None}.values()
    reaped = tuple(key for dataset in datasets for key in _reap(bench, dataset))
    problems += [problem for dataset in datasets if (problem := _index(bench, dataset))]
    given_up = tuple(_give_up(bench))
    return Findings(datasets, tuple(unseen), tuple(undecided), reaped, tuple(problems), given_up)


def _put_in_order(bench: Workbench, dataset: str) -> str | None:
    """Finish the head's commit, or record a head that has none; the problem, if that cannot be done."""
    bench.finished.pop(dataset, None)  # look, do not remember
    try:
        commit.settled_head(bench, dataset)
    except TowlineError as error:
        return f"{dataset}: {error}"
    return None


def _index(bench: Workbench, dataset: str) -> str | None:
    """Make the blocks that are missing (`towline.blocks`); the problem, if that cannot be done."""
    try:
        blocks.extend(bench, dataset)
    except TowlineError as error:
        return f"{dataset}: {error}"
    return None


def _between(bench: Workbench, prefix: str, since: datetime | None, until: datetime | None) -> Iterator[Entry]:
    """The objects below a prefix that were written in that time."""
    return (entry for entry in bench.store.list(prefix) if entry.is_between(since, until))


def _arrival(entry: Entry) -> Arrival:
    return Arrival(entry.key, None, entry.etag, entry.size)


def _sort_out(bench: Workbench, entry: Entry, unseen: list[Arrival], undecided: list[Receipt]) -> None:
    arrival = _arrival(entry)
    blank = inbox.fresh(arrival)
    receipt = receipts.load(bench.store, blank.dataset, blank.proposal)
    if receipt is not None and words.word_of(entry.key):
        if words.is_unheard(bench, arrival, receipt):
            unseen.append(_exact(bench, arrival))
    elif receipt is None:
        if not inbox.is_part(bench, arrival):
            unseen.append(_exact(bench, arrival))
    elif not receipt.rests:
        undecided.append(receipt)


def _exact(bench: Workbench, arrival: Arrival) -> Arrival:
    """The arrival with its VersionId, which a listing does not tell."""
    try:
        stat = bench.store.head(arrival.key)
    except NotFound:
        return arrival
    return Arrival(arrival.key, stat.version, stat.etag, stat.size)


def _reap(bench: Workbench, dataset: str) -> Iterator[str]:
    """Delete intents that are older than a day and whose commit never came."""
    now = bench.clock()
    for entry in bench.store.list(f"{keys.INTENTS}{dataset}/"):
        name = entry.key.rsplit("/", 1)[1].removesuffix(".json")
        if not keys.is_commit(name):
            continue
        # The id has its writer's clock, which may be slow; the store's own is the one that counts then.
        age = now - max(keys.commit_time(name), entry.modified)
        if not INTENT_AGE < age < INTENT_WINDOW:
            continue
        if not _landed(bench, dataset, name):
            bench.store.delete(entry.key)
            yield entry.key


def _give_up(bench: Workbench) -> Iterator[str]:
    """Drop the parts of masters, snapshots and copies of large files whose author died before they were joined; nobody
    sees them, and the bucket's lifecycle rule would take a day more."""
    for prefix in (keys.DATA, bench.layout.snapshots, keys.BRONZE, keys.QUARANTINE):
        for each in bench.store.unfinished(prefix):
            if bench.clock() - each.begun > UPLOAD_AGE:
                bench.store.give_up(each)
                yield each.key


def _landed(bench: Workbench, dataset: str, commit_id: str) -> bool:
    """Whether a commit is in the history. Its snapshot is the first thing that finishing writes, and the head is always
    finished before another commit builds on it."""
    head = master.read(bench.store, dataset)
    if head is not None and head.commit == commit_id:
        return True
    try:
        archive.head(bench.store, bench.layout, bench.layout.snapshot(dataset, commit_id))
    except NotFound:
        return False
    return True
