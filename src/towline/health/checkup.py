"""Everything looked at side by side, again and again, each for a bounded time.

A probe that does not come back is not asked again meanwhile: a service that hangs holds one thread, however often
somebody looks. Threads are daemons, so that one that hangs does not keep the program from ending.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from types import MappingProxyType

from towline.errors import NotFound, Refused, TowlineError, Unavailable
from towline.health.fact import Fact, Group, Health

PATIENCE = 2.0  # seconds that a probe has before what it asks for is unknown

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Probe:
    """Something to look at. `look` may raise: then what it would have found, under these `names`, is unknown."""

    group: Group
    names: tuple[str, ...]
    look: Callable[[], Iterable[Fact]]
    about: str = ""

    def answer(self) -> tuple[Fact, ...]:
        """What `look` finds, or the facts that it could not be found out, and why."""
        try:
            return tuple(self.look())
        except TowlineError as error:
            return self.unknown(*_reason(error), values={"error": error.kind, "message": str(error)})
        except Exception as error:  # a defect of one check is no reason to show none of the others
            _log.exception("the check of %s failed", self.names[0])
            do = "read the log of the editor, and report it"
            return self.unknown(f"this check failed: {error!r}", do, "A check fails")

    def unknown(
        self, says: str, do: str, see: str, values: Mapping[str, object] = MappingProxyType({})
    ) -> tuple[Fact, ...]:
        return tuple(Fact(self.group, name, "unknown", says, do, see, self.about, values) for name in self.names)


def _reason(error: TowlineError) -> tuple[str, str, str]:
    """Why something is unknown, what to do about that, and where to read more."""
    if isinstance(error, Refused):
        return "you may not see this", "ask your steward, if you need to know", "What you may not see"
    if isinstance(error, Unavailable):
        return "it does not answer", "see what is red; else look again in a minute", "S3 does not answer"
    if isinstance(error, NotFound):
        return str(error), "look again in a minute", "Something is missing"
    return str(error), "do what the message says", "A check fails"


@dataclass
class _Asked:
    """One probe that was asked, and what it answered once `done`."""

    probe: Probe
    since: float  # by the monotonic clock
    done: Event = field(default_factory=Event)
    facts: tuple[Fact, ...] = ()

    def run(self) -> None:
        self.facts = self.probe.answer()
        self.done.set()


class Checkup:
    """Probes, and what they last answered. Safe to share between threads: those who look together share the answers."""

    def __init__(
        self,
        probes: Sequence[Probe],
        *,
        patience: float = PATIENCE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._probes, self._patience, self._clock = tuple(probes), patience, clock
        self._known: dict[Probe, tuple[Fact, ...]] = {}
        self._asked: dict[Probe, _Asked] = {}
        self._lock = Lock()

    def look(self, wait: float | None = None) -> Health:
        """Ask every probe that is not being asked already, and wait until all have answered, for `wait` seconds at most
        (None: as long as their patience). What has not answered by then is as it was last seen; what is over its
        patience is unknown."""
        asked = self._ask()
        deadline = time.monotonic() + (self._patience if wait is None else wait)
        for one in asked:
            one.done.wait(max(0.0, deadline - time.monotonic()))
        facts = [fact for one in asked for fact in self._answer(one)]
        return Health(self._clock(), tuple(facts))

    def _ask(self) -> list[_Asked]:
        with self._lock:
            return [self._asked_of(probe) for probe in self._probes]

    def _asked_of(self, probe: Probe) -> _Asked:
        standing = self._asked.get(probe)
        if standing is not None and not standing.done.is_set():
            return standing
        if standing is not None:
            self._known[probe] = standing.facts  # an answer that came after everybody had stopped waiting
        asked = self._asked[probe] = _Asked(probe, time.monotonic())
        Thread(target=asked.run, name=f"health: {probe.names[0]}", daemon=True).start()
        return asked

    def _answer(self, asked: _Asked) -> tuple[Fact, ...]:
        probe = asked.probe
        if asked.done.is_set():
            self._known[probe] = asked.facts
            return asked.facts
        waited = time.monotonic() - asked.since
        if waited < self._patience and probe in self._known:
            return self._known[probe]
        says = f"no answer within {self._patience:g} s" if waited >= self._patience else "being asked"
        return probe.unknown(says, "look again in a minute", "S3 does not answer")
