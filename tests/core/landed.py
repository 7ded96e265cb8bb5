"""Files that land: a bucket in memory, a pipeline, and what the deployed functions would do about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from towline import keys
from towline.inbox import Arrival
from towline.ingest import manifest, receive, retrying
from towline.ingest.entry import Entry
from towline.memory import MemoryStore
from towline.pipeline.definition import Pipeline
from towline.store import Stat
from towline.workbench import Workbench

NAME = "rounds"
START = datetime(2026, 11, 28, 21, 45, tzinfo=UTC)
CSV = b"round,hole\nr1,1\nr1,2\n"


class Killed(BaseException):
    """The process ends: nothing catches it."""


@dataclass
class Cut:
    """Ends the process at the request with this number, before it or after it has happened."""

    at: int
    phase: str
    seen: int = 0

    def __call__(self, operation: str, key: str, phase: str) -> None:
        self.seen += phase == "before"
        if (self.seen - 1, phase) == (self.at, self.phase):
            raise Killed


def header(columns: Sequence[str]) -> Sequence[str]:
    return () if "round" in columns else (f"there is no column 'round'; it has {', '.join(columns)}",)


PIPELINE = Pipeline(NAME, conform=lambda file: iter(()), header=header)


@dataclass
class Bay:
    """A bucket that files land in. The clock stands still until somebody moves it."""

    now: datetime = START
    pipeline: Pipeline | None = PIPELINE
    told: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = MemoryStore(clock=lambda: self.now)
        self.bench = Workbench(self.store, clock=lambda: self.now)

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def land(self, name: str, body: bytes = CSV) -> Arrival:
        """Put raw/<dataset>/<name>; the event that tells of it."""
        return arrival(self.store.put(f"{keys.RAW}{NAME}/{name}", body))

    def receive(self, arrival: Arrival) -> Entry | None:
        door = retrying if arrival.key.startswith(keys.RETRIES) else receive
        return door.receive(self.bench, arrival, lambda dataset: self.pipeline, self.told.append)

    def take(self, name: str, body: bytes = CSV) -> Entry:
        entry = self.receive(self.land(name, body))
        assert entry is not None
        return entry

    def retry(self, entry: Entry, principal: str = "ana") -> Arrival:
        """Ask that a file be tried again; the event that tells of it."""
        return arrival(retrying.ask(self.store, entry, principal))

    def correct(self, header: Callable[[Sequence[str]], Sequence[str]] = lambda columns: ()) -> None:
        """A pipeline that does not mind."""
        self.pipeline = replace(PIPELINE, header=header)

    def entries(self) -> list[Entry]:
        return manifest.entries(self.store, NAME)

    def keys(self, prefix: str) -> list[str]:
        return [listed.key for listed in self.store.list(prefix)]

    def versions(self, prefix: str) -> int:
        """How often anything was written or deleted below a prefix."""
        return sum(len(history) for key, history in self.store._history.items() if key.startswith(prefix))


def arrival(stat: Stat) -> Arrival:
    return Arrival(stat.key, stat.version, stat.etag, stat.size)
