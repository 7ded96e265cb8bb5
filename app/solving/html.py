"""HTML of conflicts that are being solved: what it was, theirs, yours, and what was picked. Pure; all of it is escaped.

A button's act is JSON: ["pick", row, column, side], ["all", group, group, side], ["type", row, column] (a third value;
without a column another key), or ["page", number]. Rows are named as by `row_name`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby

from app import clash_markup, markup
from app.clash_markup import PAGE, choice
from app.editing.cells import unit_text
from app.solving.picks import ALL, CELL, ROW, Group, Spot
from app.solving.solving import Solving, row_name
from towline.answer import SIDES, Decision, InsertAs, Put, Side, Take
from towline.conflict import Author, Conflict
from towline.values import Row, same

SPELLED = 20  # rows of what would be sent that are spelled out
CELLS = 4  # cells of a changed row beside a deleted one

_WORDS: Mapping[Side, str] = {"base": "As it was", "theirs": "Theirs", "ours": "Yours"}
_ORDER: tuple[Side, ...] = ("base", "theirs", "ours")
_KINDS = {
    "update/delete": "They deleted, you changed",
    "delete/update": "You deleted, they changed",
    "insert/insert": "Both of you inserted",
    "table": "Somebody committed since",
}


def read_act(act: str) -> list[object]:
    """What a button was for; an empty list where it is none of these."""
    try:
        found = json.loads(act)
    except ValueError:
        return []
    match found:
        case ["pick" | "all", str(), str(), side] if side in SIDES:
            return list(found)
        case ["type", str(), str()] | ["page", int()]:
            return list(found)
    return []


def about(solving: Solving) -> str:
    """The proposal that is being solved."""
    receipt = solving.dispute.receipt
    by = f"by {receipt.user}, held against commit {solving.dispute.number}"
    return markup.block(f'“{escape(markup.cut(receipt.note))}” <span class="tl-quiet">{escape(by)}</span>')


def progress(solving: Solving) -> str:
    """`3 of 5 decided`."""
    total = len(solving.spots)
    if not total:
        return "Nothing is in conflict any more: it can be sent as it is."
    if not solving.open:
        return "decided" if total == 1 else f"all {total:,} decided"
    return f"{total - solving.open:,} of {total:,} decided"


def listed(solving: Solving) -> tuple[Spot, ...]:
    """The spots of the page that is shown."""
    return solving.spots[page(solving) * PAGE :][:PAGE]


def page(solving: Solving) -> int:
    return min(max(solving.page, 0), max(0, (len(solving.spots) - 1) // PAGE))


def table(solving: Solving) -> str:
    """Buttons for many at once, then one page of the spots, row by row."""
    head = "<tr><th>Where</th><th>It was</th><th>Theirs</th><th>Yours</th><th>Something else</th></tr>"
    many = "".join(_for_all(solving, group) for group in _groups(solving))
    rows = "".join(_rows(solving))
    pager = clash_markup.pager(page(solving), len(solving.spots))
    return f'<table class="tl-clashes tl-solving"><thead>{head}</thead><tbody>{many}{rows}</tbody></table>{pager}'


def _groups(solving: Solving) -> list[Group]:
    """Those that have several spots, and all of them."""
    groups = list(dict.fromkeys(spot.group for spot in solving.spots))
    many = [group for group in groups if len(solving.group(group)) > 1]
    return ([ALL] if len(groups) > 1 else []) + many


def _for_all(solving: Solving, group: Group) -> str:
    spots = solving.group(group)
    left = sum(not solving.picks.is_decided(spot) for spot in spots)
    said = f"{markup.count(len(spots), 'place')}, {f'{left:,} to go' if left else 'decided'}"
    buttons = _sides(["all", *group], {side: f"{_WORDS[side]} for all" for side in _ORDER}, solving.picks.common(spots))
    name = f'{_group_name(solving, group)} <span class="tl-quiet">{said}</span>'
    return f'<tr class="tl-for-all"><td>{name}</td>{buttons}<td></td></tr>'


def _group_name(solving: Solving, group: Group) -> str:
    kind, column = group
    if group == ALL:
        return "<b>All</b>"
    return f"<b>{_column(solving, column) if kind == CELL else escape(_KINDS.get(kind, kind))}</b>"


def _column(solving: Solving, column: str) -> str:
    unit = unit_text(solving.dispute.contract.field(column).unit)
    return escape(column) + (f' <span class="tl-quiet">{escape(unit)}</span>' if unit else "")


def _sides(act: Sequence[object], inner: Mapping[Side, str], taken: Decision | None) -> str:
    """A cell of the table for each side, with a button in it."""
    cells = []
    for side, html in inner.items():
        is_taken = None if taken is None else taken == Take(side)
        cells.append(f"<td>{choice([*act, side], html, _help(side), is_taken=is_taken)}</td>")
    return "".join(cells)


def _help(side: Side) -> str:
    return {"base": "Take what it was", "theirs": "Take theirs", "ours": "Take yours"}[side]


def _rows(solving: Solving) -> Iterator[str]:
    for _, of in groupby(listed(solving), key=lambda spot: row_name(spot.conflict)):
        spots = list(of)
        conflict = spots[0].conflict
        if conflict.kind == "insert/insert":
            yield _inserted(solving, conflict)
        for spot in spots:
            yield _spot(solving, spot)


def _inserted(solving: Solving, conflict: Conflict) -> str:
    """The head of two rows that were inserted under one key: take one of them, or keep both."""
    name, picked = row_name(conflict), solving.picks.insert_as(conflict)
    spots = solving.group((ROW, name))
    where = escape(markup.key_text(conflict.key))
    alike = _alike(conflict)
    said = f"<b>{where}</b>: both of you inserted it{_by(conflict.theirs_by)}{alike}"
    taken = picked or solving.picks.common(spots)
    inner: dict[Side, str] = {"base": "Neither", "theirs": "All of theirs", "ours": "All of yours"}
    new = "" if picked is None else markup.key_text({**conflict.key, **picked.key})
    text = f"Both: yours as {escape(new)}" if picked is not None else "Both: yours under another key …"
    both = choice(["type", name, ""], text, "Keep both rows", is_taken=None if taken is None else picked is not None)
    return f'<tr class="tl-for-all"><td>{said}</td>{_sides(["all", ROW, name], inner, taken)}<td>{both}</td></tr>'


def _alike(conflict: Conflict) -> str:
    """What both rows hold."""
    clashing = {cell.column for cell in conflict.cells}
    shared = {c: v for c, v in (conflict.ours or {}).items() if c not in clashing and c not in conflict.key}
    said = ", ".join(f"{escape(column)} {markup.value(held)}" for column, held in shared.items() if held is not None)
    return f'<div class="tl-quiet">the same in both: {said}</div>' if said else ""


def _spot(solving: Solving, spot: Spot) -> str:
    name, decision = row_name(spot.conflict), solving.picks.of(spot)
    left = solving.picks.insert_as(spot.conflict) is not None
    taken = InsertAs({}) if left and spot.column else decision
    sides = _sides(["pick", name, spot.column], _inner(spot), taken)
    return f"<tr><td>{_where(solving, spot)}</td>{_with_author(sides, spot)}<td>{_third(spot, taken)}</td></tr>"


def _where(solving: Solving, spot: Spot) -> str:
    if spot.conflict.kind == "table":
        commits = "".join(f"<div>{_commit(author)}</div>" for author in spot.conflict.commits)
        return f"<b>The whole table</b>: your proposal wanted no commit in between, and there was one.{commits}"
    where = escape(markup.key_text(spot.conflict.key))
    return f"{where} · <b>{_column(solving, spot.column)}</b>" if spot.column else f"<b>{where}</b>"


def _inner(spot: Spot) -> dict[Side, str]:
    """What the three buttons show."""
    conflict = spot.conflict
    if spot.cell is not None:
        base, theirs, ours = clash_markup.parted(spot.cell.base, spot.cell.theirs, spot.cell.ours)
        base = base if conflict.base is not None else f'<span title="there was no such row">{base}</span>'
        return {"base": base, "theirs": theirs, "ours": ours}
    if conflict.kind == "table":
        return {"theirs": "Leave mine out", "ours": "Mine on top"}
    return {
        "base": "the row as it was",
        "theirs": _row(conflict.base, conflict.theirs),
        "ours": _row(conflict.base, conflict.ours),
    }


def _row(base: Row | None, row: Row | None) -> str:
    """A row beside its deletion: what of it was changed."""
    if row is None:
        return "<i>the row is deleted</i>"
    cells = [(c, (base or {}).get(c), held) for c, held in row.items() if not same((base or {}).get(c), held)]
    said = [f"{escape(column)} {markup.value(old)} → {markup.value(new)}" for column, old, new in cells[:CELLS]]
    more = len(cells) - CELLS
    return "<br>".join(said + [f"… and {markup.count(more, 'more cell')}"] * (more > 0))


def _with_author(sides: str, spot: Spot) -> str:
    """The author behind theirs, which is the second of three."""
    if spot.conflict.kind == "table":
        return f"<td></td>{sides}"
    author = spot.cell.theirs_by if spot.cell is not None else spot.conflict.theirs_by
    parts = sides.split("</td>")
    parts[1] += _by(author, spot.conflict.unsigned)
    return "</td>".join(parts)


def _by(author: Author | None, unsigned: str = "") -> str:
    if author is None:
        return f' <span class="tl-quiet" title="{escape(unsigned)}">by whom is not known</span>' if unsigned else ""
    return markup.who(author.to_json())


def _commit(author: Author) -> str:
    return f"commit {author.number}{markup.who(author.to_json())}"


def _third(spot: Spot, decision: Decision | None) -> str:
    if not spot.column:
        return ""
    text = markup.value(decision.value) if isinstance(decision, Put) else "type …"
    is_taken = None if decision is None else isinstance(decision, Put)
    return choice(["type", row_name(spot.conflict), spot.column], text, "Type another value", is_taken=is_taken)


def asked(solving: Solving, spot: Spot) -> str:
    """What is being typed."""
    where = markup.key_text(spot.conflict.key)
    if not spot.column:
        return f"Yours, which has the key {where} as theirs has, is inserted as"
    unit = unit_text(solving.dispute.contract.field(spot.column).unit)
    return f"{where} · {spot.column}{f' ({unit})' if unit else ''}"


def outlook(solving: Solving) -> str:
    """What would be sent, row by row, and what is wrong with it."""
    found, contract = solving.outlook, solving.dispute.contract
    if found.problem:
        return markup.message("stop", found.problem)
    rows = "".join(markup.row_change(change, contract) for change in found.changes[:SPELLED])
    more = len(found.changes) - SPELLED
    rest = f'<div class="tl-quiet">… and {markup.count(more, "more row")}</div>' if more > 0 else ""
    broken = ""
    if found.plan.report.violations:
        report = found.plan.report
        said = [violation.to_json() for violation in found.violations]
        broken = markup.scroll(markup.violations(said, report.errors, report.warnings))
    return broken + (markup.scroll(rows + rest) if rows else "")


def what(solving: Solving) -> str:
    """In a sentence: what sending would do, or what is to be done first."""
    found, number = solving.outlook, solving.dispute.number
    if solving.open:
        return f"{markup.count(solving.open, 'place')} to decide first."
    if found.problem or not found.plan.ok:
        return "What you decided cannot be committed: see what is wrong with it."
    if not found.changes:
        return f"Commit {number} holds all of it already: there is nothing to send."
    counts = found.plan.counts()
    rows = ", ".join(
        f"{markup.count(counts[f'rows_{word}'], 'row')} {said}"
        for word, said in (("updated", "changed"), ("inserted", "added"), ("deleted", "deleted"))
        if counts[f"rows_{word}"]
    )
    return f"Commit {number + 1} on top of commit {number}: {rows}."
