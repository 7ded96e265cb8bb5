"""HTML of the Health page. Pure; everything that was found is escaped here. A state is a sign and a word, never a
colour alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby

from app.markup import box, prose
from towline.health.fact import Fact, Group, Health, State

SIGNS: Mapping[State, str] = {"fine": "✓", "attention": "▲", "red": "✕", "unknown": "?"}
WORDS: Mapping[State, str] = {"fine": "fine", "attention": "look at it", "red": "red", "unknown": "unknown"}
_BOXES: Mapping[State, str] = {"fine": "done", "attention": "warn", "red": "stop", "unknown": "info"}
# The cards, in the order in which they stand. The datasets, which are a table, come above them.
TITLES: Mapping[Group, str] = {
    "pipeline": "Queues and functions",
    "storage": "S3",
    "stack": "This machine",
    "versions": "Versions",
}
COLUMNS = {"head": "Head", "unfinished": "Unfinished", "waiting": "Waiting", "quarantine": "Quarantine"}
NAMED = 6  # facts that one line of what to do names


def page(found: Health, every: float) -> str:
    """The whole page: the verdict, what to do, and all facts. `every`: seconds between two looks."""
    cards = "".join(_card(title, found.of(group)) for group, title in TITLES.items() if found.of(group))
    inner = f'{verdict(found, every)}{to_do(found)}{datasets(found)}<div class="tl-cards">{cards}</div>'
    return f'<div class="tl tl-health">{inner}</div>'


def verdict(found: Health, every: float) -> str:
    """How things are, in one line."""
    looked = f"looked at {found.at:%H:%M:%S} UTC, and again every {every:g} s"
    said = f"<b>{escape(found.verdict())}</b> &nbsp;<span class='tl-quiet'>{looked}</span>"
    return box(_BOXES[found.state], _sign(found.state) + said)


def to_do(found: Health) -> str:
    """What is not fine and what to do about it, the worst first; what has the same way out stands together."""
    ways: dict[tuple[str, str, str], list[Fact]] = {}
    for fact in found.to_do:
        ways.setdefault((fact.state, fact.do, fact.see), []).append(fact)
    return f"<ul>{''.join(map(_to_do, ways.values()))}</ul>" if ways else ""


def _to_do(facts: Sequence[Fact]) -> str:
    fact = facts[0]
    names = ", ".join(each.title for each in facts[:NAMED])
    more = f" and {len(facts) - NAMED} more" if len(facts) > NAMED else ""
    said = "; ".join(dict.fromkeys(_said(each) for each in facts))
    head = f"<b>{escape(names + more)}</b>: {prose(said)}"
    way = f'<br><span class="tl-way">→ {prose(fact.do)}</span>' if fact.do else ""
    book = f' <span class="tl-quiet">(docs/runbook.md, “{escape(fact.see)}”)</span>' if fact.see else ""
    return f"<li>{_sign(fact.state)}<span>{head}{way}{book}</span></li>"


def _said(fact: Fact) -> str:
    return f"unknown: {fact.says}" if fact.state == "unknown" else fact.says


def _card(title: str, facts: Iterable[Fact]) -> str:
    rows = "".join(map(_row, facts))
    return f'<div class="tl-card"><div class="tl-head">{escape(title)}</div><table>{rows}</table></div>'


def _row(fact: Fact) -> str:
    name = f"<td>{_sign(fact.state)}</td><th scope='row'>{escape(fact.name)}</th>"
    return f"<tr>{name}<td{_title(fact)}>{prose(_said(fact))}</td></tr>"


def datasets(found: Health) -> str:
    """A line a dataset. Where the datasets cannot be listed, why."""
    facts = found.of("datasets")
    whole = [fact for fact in facts if not fact.about]
    if whole or not facts:
        return _card("Datasets", whole) if whole else ""
    header = "".join(f"<th scope='col'>{escape(title)}</th>" for title in COLUMNS.values())
    rows = "".join(_dataset(name, list(own)) for name, own in groupby(facts, lambda fact: fact.about))
    table = f"<table><tr><th scope='col'>Dataset</th>{header}</tr>{rows}</table>"
    return f'<div class="tl-card">{table}</div>'


def _dataset(name: str, facts: Sequence[Fact]) -> str:
    cells = {fact.name: f"<td{_title(fact)}>{_sign(fact.state)}{prose(_said(fact))}</td>" for fact in facts}
    return f"<tr><td><b>{escape(name)}</b></td>{''.join(cells.get(column, '<td>–</td>') for column in COLUMNS)}</tr>"  # noqa: RUF001


def _sign(state: State) -> str:
    word = WORDS[state]
    said = f'role="img" aria-label="{word}" title="{word}"'
    return f'<span class="tl-sign tl-is-{state}" {said}>{SIGNS[state]}</span>'


def _title(fact: Fact) -> str:
    """The whole message behind a short reason, for whoever rests the mouse on it."""
    message = fact.values.get("message")
    return f' title="{escape(str(message))}"' if message else ""
