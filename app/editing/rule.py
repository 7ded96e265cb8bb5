"""Set many cells by rule: `where` some conditions hold, `set` columns to something. Pure.

A rule holds texts as a person types them, finished or not: `problems` says what is to be mended, `preview` what it
would do. Every setting is computed from what the grid shows before the rule: `set a = b, b = a` swaps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TypeVar

from app.editing.condition import Condition, meant_by
from app.editing.now import Now
from app.editing.preview import Preview
from app.editing.setting import Setting, change_by
from app.editing.typed import BadRule
from towline.contract import Contract

_Part = TypeVar("_Part", Condition, Setting)


@dataclass(frozen=True)
class Rule:
    """`is_any`: a row is meant where one condition holds; else all must. Without conditions every row is meant."""

    conditions: tuple[Condition, ...] = ()
    settings: tuple[Setting, ...] = ()
    is_any: bool = False


@dataclass(frozen=True)
class Problems:
    """What must be mended before a rule can be applied: by its parts' places; `whole` is of no single part."""

    conditions: dict[int, str]
    settings: dict[int, str]
    whole: str = ""

    def __bool__(self) -> bool:
        return bool(self.conditions or self.settings or self.whole)


def problems(rule: Rule, contract: Contract) -> Problems:
    return Problems(
        dict(_problems(rule.conditions, lambda condition: meant_by(condition, contract))),
        {**dict(_problems(rule.settings, lambda setting: change_by(setting, contract))), **dict(_twice(rule))},
        "" if rule.settings else "say what is to be set",
    )


def _problems(parts: Sequence[_Part], read: Callable[[_Part], object]) -> Iterator[tuple[int, str]]:
    for place, part in enumerate(parts):
        try:
            read(part)
        except BadRule as why:
            yield place, str(why)


def _twice(rule: Rule) -> Iterator[tuple[int, str]]:
    columns = [setting.column for setting in rule.settings]
    for place, column in enumerate(columns):
        if column and column in columns[:place]:
            yield place, f"{column} is set above already; take one of the two away"


def preview(now: Now, rule: Rule) -> Preview:
    """What the rule would do. Raises BadRule where it has problems, and BadPattern where a pattern takes too long."""
    found = problems(rule, now.contract)
    if found:
        raise BadRule("; ".join((*found.conditions.values(), *found.settings.values(), *filter(None, [found.whole]))))
    places = meant(now, rule)
    changes = (change_by(setting, now.contract)(now, places) for setting in rule.settings)
    return Preview(now, tuple(changes), len(places))


def meant(now: Now, rule: Rule) -> list[int]:
    """The places of the rows that the rule means. Raises BadRule, BadPattern."""
    every = range(len(now.ids))
    if not rule.conditions:
        return list(every)
    tests = [meant_by(condition, now.contract)(now) for condition in rule.conditions]
    return list(compress(every, map(any if rule.is_any else all, zip(*tests, strict=True))))
