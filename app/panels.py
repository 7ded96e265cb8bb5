"""What stands around the grid: pending changes, violations, news, the outcome; and the net under every page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Literal

import streamlit as st

from app import markup
from app.editing.desk import Desk
from app.editing.pending import Line, Pending
from towline.conflict import Conflict
from towline.contract import Contract
from towline.errors import TowlineError, Unavailable
from towline.receipts import Receipt
from towline.violation import Report

LISTED = 30  # rows of pending changes, violations and clashes that are drawn at once

_log = logging.getLogger(__name__)


@contextmanager
def caught() -> Iterator[None]:
    """Nothing that fails shows as a traceback: what is expected says what to do, the rest goes to the log."""
    try:
        yield
    except TowlineError as error:
        said = "S3 does not answer. " if isinstance(error, Unavailable) else ""
        st.html(markup.message("stop", f"{said}{error}"))
        st.button("Try again", key="again", icon=":material/refresh:")
    except Exception:
        _log.exception("a page failed")
        text = (
            "This page hit a defect in Towline. Your edits are still in this session: try again, or download them on "
            "the Edit page. The editor's log has the details."
        )
        st.html(markup.message("stop", text))
        st.button("Try again", key="again", icon=":material/refresh:")


def pending_changes(desk: Desk, pending: Pending) -> None:
    """Old -> new by row, with a button to take back each."""
    st.html(markup.subheading(_summary(pending)))
    if not pending.lines:
        return
    with st.container(height=_height(pending), border=True, gap="xxsmall", key="pending"):
        for place, line in enumerate(pending.lines[:LISTED]):
            _line(desk, line, place)
        more = len(pending.lines) - LISTED
        if more > 0:
            st.html(markup.block(f'<span class="tl-quiet">… and {markup.count(more, "more row")}</span>'))


def _height(pending: Pending) -> int | Literal["content"]:
    """As high as its lines; from some lines on it scrolls."""
    lines = sum(1 + len(line.cells) for line in pending.lines[:LISTED])
    return "content" if lines <= 8 else 230


def _summary(pending: Pending) -> str:
    """`3 cells in 2 rows changed, 1 row added`."""
    changed = pending.count("update", "rekey")
    said = [f"{markup.count(pending.cells, 'cell')} in {markup.count(changed, 'row')} changed"] * bool(changed)
    said += [f"{markup.count(n, 'row')} {word}" for n, word in _rows(pending) if n]
    return ", ".join(said) or "No changes yet"


def _rows(pending: Pending) -> Sequence[tuple[int, str]]:
    return ((pending.count("insert"), "added"), (pending.count("delete"), "deleted"))


def _line(desk: Desk, line: Line, place: int) -> None:
    contract = desk.sheet.contract
    back = partial(desk.revert, line.row)
    _with_undo(desk, markup.line_head(line, contract), back, f"undo-{place}", "Take this row back")
    for cell in line.cells:
        html = markup.cell_change(cell, contract, is_new=line.kind == "insert")
        if len(line.cells) == 1:
            st.html(html)
        else:
            back = partial(desk.revert, line.row, cell.column)
            _with_undo(desk, html, back, f"undo-{place}-{cell.column}", "Take this cell back")


def _with_undo(desk: Desk, html: str, act: Callable[[], None], key: str, help: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", wrap=False):
        st.html(html)
        st.button("", key=key, icon=":material/undo:", type="tertiary", help=help, on_click=desk.ask, args=(act,))


def problems(report: Report) -> None:
    """What is wrong with the edits: errors, which block submitting, and warnings, which do not."""
    total = report.errors + report.warnings
    if not total:
        return
    says = "errors block submitting" if report.errors else "you can submit, but look"
    st.html(markup.subheading(f"Violations: {markup.totals(report.errors, report.warnings)}", says))
    listed = [violation.to_json() for violation in report.violations[:LISTED]]
    with st.container(border=True):
        st.html(markup.scroll(markup.violations(listed, report.errors, report.warnings)))


def outcome(receipt: Receipt, contract: Contract, *, is_above: bool) -> None:
    """What became of the last proposal. `is_above`: the conflicts are shown above the grid, with the way out."""
    if receipt.status == "committed":
        warned = f", with {markup.count(receipt.warnings, 'warning')}" if receipt.warnings else ""
        st.html(markup.steps(receipt) + markup.message("done", f"Commit {receipt.number}{warned}: {receipt.commit}"))
        return
    words = {
        "rejected": f"Rejected ({markup.totals(receipt.errors, receipt.warnings)})",
        "conflicted": "Conflict: somebody else changed what you changed",
    }
    where = " Above the grid you see both, and choose." if is_above and receipt.conflicts else ""
    said = f"{words.get(receipt.status, receipt.status)}. The table is as it was; your edits stay here.{where}"
    st.html(markup.steps(receipt) + markup.message("stop", said))
    if not where:
        details(receipt, contract)


def details(receipt: Receipt, contract: Contract) -> None:
    """Why a proposal was refused."""
    if receipt.violations:
        st.html(markup.block(markup.violations(receipt.violations, receipt.errors, receipt.warnings)))
    if receipt.conflicts:
        st.html(markup.block(markup.conflicts(receipt.conflicts, contract)))


def clashes(found: Sequence[Conflict], contract: Contract) -> None:
    """Where a newer commit and the edits disagree."""
    text = f"{markup.count(len(found), 'row')} of yours disagree{'s' * (len(found) == 1)} with what is there now:"
    listed = [conflict.to_json() for conflict in found[:LISTED]]
    st.html(markup.box("warn", f'<span class="tl-sign">▲</span>{text}{markup.conflicts(listed, contract)}'))
    if len(found) > LISTED:
        st.html(markup.message("warn", f"… and {len(found) - LISTED:,} more"))
