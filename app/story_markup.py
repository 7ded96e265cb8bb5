"""HTML of the story of a cell. Pure; everything from data is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from urllib.parse import urlencode

from app import markup
from app.editing.cells import unit_text
from app.editing.links import write_key
from app.past import html
from towline.contract import Contract
from towline.story import Touch
from towline.values import Key

LISTED = 200  # touches that are drawn at once
_SAYS = {"create": " in the first table", "insert": " with its row", "delete": " its row was deleted"}
_SIGNS = {"update": "✎", "create": "+", "insert": "+", "delete": "\N{MINUS SIGN}"}


def heading(contract: Contract, key: Key, column: str) -> str:
    """Which cell it is."""
    unit = unit_text(contract.field(column).unit)
    named = f"{column} [{unit}]" if unit else column
    return markup.subheading(named, markup.key_text(contract.key_dict(key)))


def story(touches: Sequence[Touch], contract: Contract, number: int, now: datetime) -> str:
    """Every touch, newest first. `number` is of the commit on the page: later ones are marked."""
    if not touches:
        return markup.message("info", "Nothing is known of this cell.")
    shown = touches[:LISTED]
    lines = "".join(_touch(touch, contract, number, now) for touch in shown)
    left = len(touches) - len(shown)
    more = f'<div class="tl-quiet">… and {left:,} before</div>' if left else ""
    count = len(touches) - 1
    total = "never changed since" if not count else f"changed {markup.count(count, 'time')} since"
    return markup.block(f'{lines}{more}<div class="tl-quiet">Set once, and {total}.</div>')


def _touch(touch: Touch, contract: Contract, number: int, now: datetime) -> str:
    when = f"{touch.at:%Y-%m-%d %H:%M:%S} UTC, {markup.age(touch.at, now)}"
    later = ' <span class="tl-quiet">after what you see</span>' if touch.number > number else ""
    return (
        f'<div class="tl-row tl-touch"><span class="tl-sign">{_SIGNS[touch.change]}</span>{_values(touch, contract)}'
        f'<div><span class="tl-head">{escape(touch.user)}</span> <span class="tl-quiet">{escape(when)}</span> · '
        f"{_link(touch, contract)}{later}</div>{html.note(touch.note)}</div>"
    )


def _values(touch: Touch, contract: Contract) -> str:
    """Old -> new; what came or went with its row has one side."""
    old = f'<span class="tl-old">{markup.value(touch.old)}</span>' if touch.change in ("update", "delete") else ""
    new = f'<span class="tl-new">{markup.value(touch.new)}</span>' if touch.change != "delete" else ""
    unit = unit_text(contract.field(touch.column or "").unit)
    beside = f' <span class="tl-quiet">{escape(unit)}</span>' if unit else ""
    says = f'<span class="tl-quiet">{_SAYS.get(touch.change, "")}</span>'
    return f"{' → '.join(side for side in (old, new) if side)}{beside}{says}"


def _link(touch: Touch, contract: Contract) -> str:
    """To the commit on the page History, in another tab: what is being edited stays where it is."""
    where = {"dataset": contract.dataset, "commit": str(touch.number), "key": write_key(touch.key)}
    return f'<a href="history?{escape(urlencode(where))}" target="_blank">commit {touch.number}</a>'
