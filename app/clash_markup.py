"""HTML of the choice where what others committed clashes with what was typed here. Pure.

A button's act is JSON: ["one", group, group, the grid's id of the row, side], ["group", group, group, side], or
["page", number]; see `app.editing.choices` for groups and sides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import groupby, islice

from app import markup
from app.editing.cells import text_of, unit_text
from app.editing.choices import ALL, CELL, MINE, THEIRS, Choices, Clash, Group, Side
from app.editing.remote import Authors
from app.editing.sheet import row_id
from towline.contract import Contract
from towline.history import Record
from towline.values import Key, Row, Value, same

PAGE = 25  # clashes that are listed at once
CELLS = 3  # cells of a row that a clash of the whole row spells out
BEFORE = 20  # characters of what two long texts have in common that are shown

ROWS = {"update/delete": "They deleted, you changed", "delete/update": "You deleted, they changed"}
_SIDES: tuple[tuple[Side, str], ...] = ((THEIRS, "Theirs"), (MINE, "Yours"))


@dataclass(frozen=True)
class Chooser:
    """Clashes to be decided: everything that is shown of them. `authors` and `records` tell whose theirs is."""

    clashes: tuple[Clash, ...]
    choices: Choices
    contract: Contract
    authors: Authors
    records: tuple[Record, ...] = ()
    page: int = 0

    @cached_property
    def groups(self) -> dict[Group, tuple[Clash, ...]]:
        """By group: columns in the contract's order, then rows."""
        names = self.contract.names

        def place(clash: Clash) -> tuple[int, str]:
            return (names.index(clash.column) if clash.column else len(names), clash.kind if not clash.column else "")

        return {group: tuple(of) for group, of in groupby(sorted(self.clashes, key=place), lambda each: each.group)}

    @property
    def pages(self) -> int:
        return max(1, -(-len(self.clashes) // PAGE))

    @property
    def at(self) -> int:
        """The page that is shown: one that is there, whatever was asked for."""
        return min(max(self.page, 0), self.pages - 1)

    @property
    def listed(self) -> tuple[Clash, ...]:
        """The clashes of the page."""
        in_order = (clash for clashes in self.groups.values() for clash in clashes)
        return tuple(islice(in_order, self.at * PAGE, (self.at + 1) * PAGE))

    @cached_property
    def undecided(self) -> int:
        return len(self.choices.undecided(self.clashes))

    def author(self, clash: Clash) -> Record | None:
        found = self.authors.get((clash.key, clash.column)) or self.authors.get((clash.key, ""))
        return found or (self.records[0] if len(self.records) == 1 else None)


def clashing(clashes: Sequence[Clash]) -> str:
    """`▲ 3 cells and 1 row clash`."""
    cells = sum(bool(clash.column) for clash in clashes)
    rows = len(clashes) - cells
    said = [markup.count(n, noun) for n, noun in ((cells, "cell"), (rows, "row")) if n]
    verb = "clashes" if len(clashes) == 1 else "clash"
    text = f"{' and '.join(said)} {verb}: both of you changed {'it' if len(clashes) == 1 else 'them'}."
    return markup.block(f'<span class="tl-sign">▲</span><b>{text}</b> Choose whose stays.')


def progress(chooser: Chooser) -> str:
    """How much is decided, and how much of that only by what was chosen for an earlier commit."""
    total = len(chooser.clashes)
    if chooser.undecided:
        return f"{total - chooser.undecided:,} of {total:,} decided"
    old = sum(chooser.choices.is_remembered(clash) for clash in chooser.clashes)
    said = "decided" if total == 1 else f"all {total:,} decided"
    return f"{said}, {old:,} of them as you chose before: look first" if old else said


def table(chooser: Chooser) -> str:
    """The groups, each with buttons for all of it, and one page of the clashes: what it was, theirs, yours."""
    head = "<tr><th>Where</th><th>It was</th><th>Theirs</th><th>Yours</th></tr>"
    many = {group: clashes for group, clashes in chooser.groups.items() if len(clashes) > 1}
    if len(chooser.groups) > 1:
        many = {ALL: chooser.clashes, **many}
    for_all = "".join(_for_all(chooser, group, clashes) for group, clashes in many.items())
    rows = "".join(_row(chooser, clash) for clash in chooser.listed)
    turn = pager(chooser.at, len(chooser.clashes))
    return f'<table class="tl-clashes"><thead>{head}</thead><tbody>{for_all}{rows}</tbody></table>{turn}'


def _group_name(chooser: Chooser, group: Group) -> str:
    """The name; where there are several pages, with the way to its first clash."""
    name = _named(chooser, group)
    if chooser.pages == 1 or group == ALL:
        return name
    before = sum(map(len, list(chooser.groups.values())[: list(chooser.groups).index(group)]))
    return markup.button(json.dumps(["page", before // PAGE]), name, "Go there", "tl-turn")


def _named(chooser: Chooser, group: Group) -> str:
    kind, column = group
    if group == ALL:
        return f"<b>All {len(chooser.clashes):,}</b>"
    if kind != CELL:
        return f"<b>{ROWS.get(kind, kind)}</b>"
    unit = unit_text(chooser.contract.field(column).unit)
    return f"<b>{escape(column)}</b>" + (f' <span class="tl-quiet">{escape(unit)}</span>' if unit else "")


def _for_all(chooser: Chooser, group: Group, clashes: Sequence[Clash]) -> str:
    left = len(chooser.choices.undecided(clashes))
    noun = "row" if group[0] in ROWS else "cell"
    count = f"{markup.count(len(clashes), noun)}, " if group != ALL else ""
    state = f"{count}{f'{left:,} to go' if left else 'decided'}"
    side = chooser.choices.common(clashes)
    sides = "".join(
        f"<td>{_button(['group', *group, each], f'{word} for all {len(clashes):,}', side, each)}</td>"
        for each, word in _SIDES
    )
    name = _group_name(chooser, group)
    return f'<tr class="tl-for-all"><td colspan="2">{name} <span class="tl-quiet">{state}</span></td>{sides}</tr>'


def _row(chooser: Chooser, clash: Clash) -> str:
    side = chooser.choices.side(clash)
    key = escape(markup.key_text(chooser.contract.key_dict(clash.key)))
    column = f" · <b>{escape(clash.column)}</b>" if clash.column else ""
    old = '<br><span class="tl-quiet">as you chose before</span>' if chooser.choices.is_remembered(clash) else ""
    base, theirs, mine = _cell(clash) if clash.column else _whole(clash)
    act = ["one", *clash.group, row_id(clash.key)]
    who = _who(chooser.author(clash))
    return (
        f"<tr><td>{key}{column}{old}</td><td>{base}</td>"
        f"<td>{_button([*act, THEIRS], theirs, side, THEIRS)}{who}</td>"
        f"<td>{_button([*act, MINE], mine, side, MINE)}</td></tr>"
    )


def _who(record: Record | None) -> str:
    return "" if record is None else markup.who(record)


def _button(act: Sequence[object], inner: str, side: Side | None, own: Side) -> str:
    help = "Take theirs" if own == THEIRS else "Keep yours"
    return choice(act, inner, help, is_taken=None if side is None else side == own)


def choice(act: Sequence[object], inner: str, help: str, *, is_taken: bool | None) -> str:
    """A choice: a filled circle where it was taken, so that it is not told by colour alone. None: nothing was."""
    state = "" if is_taken is None else "tl-taken" if is_taken else "tl-left"
    sign = "◉" if is_taken else "○"
    return markup.button(
        json.dumps(act), f'<span class="tl-sign">{sign}</span><span>{inner}</span>', help, f"tl-side {state}"
    )


def _cell(clash: Clash) -> tuple[str, str, str]:
    """The three sides of a cell. Of long texts the part is shown where they part."""
    theirs, mine = (clash.theirs or {})[clash.column], clash.mine
    if mine.problem is not None:
        return markup.value(clash.base), markup.value(theirs), f'<span class="tl-bad">{escape(mine.text or "")}</span>'
    return parted(clash.base, theirs, mine.new)


def parted(base: Value, theirs: Value, mine: Value) -> tuple[str, str, str]:
    """Three values, of which long texts are shown from where they part."""
    begin = _parting(theirs, mine)
    return _from(base, begin), _from(theirs, begin), _from(mine, begin)


def _parting(one: Value, other: Value) -> int:
    """Where to begin to show two texts, so that what differs is not cut off."""
    if not isinstance(one, str) or not isinstance(other, str) or max(len(one), len(other)) <= markup.LONGEST:
        return 0
    parting = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return max(0, parting - BEFORE)


def _from(held: Value, begin: int) -> str:
    return f"…{markup.value(held[begin:])}" if begin and isinstance(held, str) else markup.value(held)


def _whole(clash: Clash) -> tuple[str, str, str]:
    gone = "<i>the row is deleted</i>"
    mine = gone if clash.line.new is None else _cells((c.column, c.old, c.text) for c in clash.line.cells)
    theirs = gone if clash.theirs is None else _cells(_differing(clash.line.old, clash.theirs))
    return "", theirs, mine


def _differing(old: Row, new: Row) -> Iterator[tuple[str, Value, str | None]]:
    return ((column, old[column], text_of(new[column])) for column in old if not same(old[column], new[column]))


def _cells(cells: Iterable[tuple[str, Value, str | None]]) -> str:
    """Column, what it was, and the text that it became."""
    found = list(cells)
    said = [f"{escape(column)} {markup.value(old)} → {markup.value(text)}" for column, old, text in found[:CELLS]]
    more = len(found) - CELLS
    return "<br>".join(said + [f"… and {markup.count(more, 'more cell')}"] * (more > 0))


def pager(at: int, total: int) -> str:
    """The way to other pages of a list of `total`, of which page `at` is shown."""
    if total <= PAGE:
        return ""
    begin = at * PAGE
    said = f"{begin + 1:,} to {min(begin + PAGE, total):,} of {total:,}"
    turn = [("← Earlier", at - 1, at > 0), ("Later →", at + 1, begin + PAGE < total)]
    buttons = "".join(
        markup.button(json.dumps(["page", page]), word, f"{word} clashes", "tl-turn")
        for word, page, is_there in turn
        if is_there
    )
    return f'<div class="tl-pager"><span class="tl-quiet">{said}</span>{buttons}</div>'


def after(act: str, choices: Choices, clashes: Iterable[Clash]) -> tuple[Choices, int | None]:
    """The choices after a button was clicked, and the page that it asks for. What is not there any more is left."""
    match _read(act):
        case ["page", int(page)]:
            return choices, page
        case ["group", str(kind), str(column), "mine" | "theirs" as side]:
            return choices.choose_group((kind, column), side), None
        case ["one", str(kind), str(column), str(row), "mine" | "theirs" as side]:
            group = (kind, column)
            found: Mapping[str, Key] = {row_id(clash.key): clash.key for clash in clashes if clash.group == group}
            return (choices.choose((group, found[row]), side) if row in found else choices), None
    return choices, None


def _read(act: str) -> object:
    try:
        return json.loads(act)
    except ValueError:
        return None
