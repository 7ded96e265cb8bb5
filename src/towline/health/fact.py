"""What was looked at, and how it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Literal

State = Literal["fine", "attention", "red", "unknown"]
STATES: tuple[State, ...] = ("red", "attention", "unknown", "fine")  # the worst first

Group = Literal["storage", "stack", "pipeline", "datasets", "versions"]
GROUPS: tuple[Group, ...] = ("storage", "stack", "pipeline", "datasets", "versions")


@dataclass(frozen=True)
class Fact:
    """One thing that was looked at.

    says    what was found; where the state is `unknown`, why nothing is known
    do      what to do about it; empty where it is fine
    see     the section of docs/runbook.md that tells more
    about   the dataset that it is about; empty where it is about none
    values  what was found, for programs: values that JSON has
    """

    group: Group
    name: str
    state: State
    says: str
    do: str = ""
    see: str = ""
    about: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.about}: {self.name}" if self.about else self.name

    def to_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Health:
    """All facts as they were at one moment, in the order in which they were asked for."""

    at: datetime
    facts: tuple[Fact, ...]

    @property
    def state(self) -> State:
        """The worst there is. Something unknown is worse than all being fine, and better than something wrong."""
        found = {fact.state for fact in self.facts}
        return next((state for state in STATES if state in found), "unknown")

    @property
    def count(self) -> Mapping[State, int]:
        return Counter(fact.state for fact in self.facts)

    def of(self, group: Group) -> tuple[Fact, ...]:
        return tuple(fact for fact in self.facts if fact.group == group)

    @property
    def to_do(self) -> tuple[Fact, ...]:
        """What is not fine, the worst first."""
        return tuple(fact for state in STATES[:-1] for fact in self.facts if fact.state == state)

    def verdict(self) -> str:
        """`1 red, 2 need attention, 3 unknown`; or that all is fine."""
        words: Mapping[State, str] = {"red": "red", "unknown": "unknown", "attention": "to look at"}
        said = [f"{self.count[state]} {words[state]}" for state in STATES[:-1] if self.count[state]]
        return ", ".join(said) or "All is fine"

    def to_json(self) -> dict[str, object]:
        facts = [fact.to_json() for fact in self.facts]
        return {"state": self.state, "at": self.at.isoformat(timespec="seconds"), "facts": facts}


def span(length: timedelta) -> str:
    """`12 s`, `3 min`, `5 h`, `2 days`: a length of time in its largest unit, rounded down; never less than nothing."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 48 * 3600 else f"{seconds // 86_400} days"


def size(count: float) -> str:
    """Bytes in their largest unit: `512 B`, `3.4 MB`, `1.2 GB`."""
    units = ("B", "kB", "MB", "GB", "TB")
    place = next((n for n in range(len(units)) if count < 1000 ** (n + 1)), len(units) - 1)
    held = count / 1000**place
    return f"{held:.1f} {units[place]}" if place and held < 10 else f"{held:,.0f} {units[place]}"


def count(number: int, noun: str) -> str:
    """`1 message`, `2,000 messages`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
