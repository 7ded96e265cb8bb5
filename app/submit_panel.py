"""Submitting: why, what will happen, the way of the proposal, and its outcome."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from html import escape
from pathlib import Path

import streamlit as st

from app import going, markup, memo, submit_markup
from app.editing import remote, submit
from app.editing.desk import Desk
from app.editing.pending import Pending
from app.session import Session, connection, kept
from app.submit_markup import Outlook
from towline.dataset import Dataset, Draft
from towline.errors import TowlineError, UsageError

EVERY, RARELY = 0.2, 3.0  # seconds between two looks at a proposal: at first, and once it takes long
AT_ONCE, SOON = 0.25, 0.02  # seconds in which most are through, and between two looks in that time
PATIENCE = 20.0  # seconds from which on it does

_RECEIVED = "submit-received"  # the proposal sent last, and how long the inbox took to have it, in ms


def draw(session: Session, desk: Desk, pending: Pending, note_key: str) -> None:
    """The panel. `note_key` is the widget key of the note, which the desk holds."""
    st.html(Path(__file__).with_name("submit.css"))
    _note(session, desk, note_key)
    is_down = session.page is not None and session.page.down
    view = _outlook(session, desk, pending)
    _button(desk, view, note_key, is_down=is_down)
    if is_down:
        st.html(markup.message("stop", _blocked(len(pending.lines))))
    if desk.problem:
        st.html(markup.message("stop", desk.problem))
    if desk.doubt:
        _doubt(desk)
    if desk.sent is not None:
        is_late = _is_late(desk)
        st.fragment(_watch, run_every=RARELY if is_late else EVERY)(desk, is_late=is_late)
    elif desk.receipt is not None:
        _outcome(desk)
    _mode(desk)


def _note(session: Session, desk: Desk, key: str) -> None:
    """The field, and what was written in it lately, to be taken again. Where both differ the desk's note counts: it is
    what the draft holds."""
    if st.session_state.get(key) != desk.note:
        st.session_state[key] = desk.note
    st.text_area("Why? (a note is required)", key=key, height=96, max_chars=2000, on_change=_written, args=(desk, key))
    notes = _recent(session)
    if notes:
        again = f"{key}-again"
        st.selectbox(
            "A recent note",
            notes,
            index=None,
            key=again,
            placeholder="Take a recent note …",
            label_visibility="collapsed",
            on_change=_take,
            args=(desk, again),
        )


def _mode(desk: Desk) -> None:
    """How the proposal is to be merged with what others commit meanwhile: in a popover, as it is seldom asked for."""
    chosen = desk.mode or desk.sheet.contract.merge_mode
    key = f"mode-{desk.sheet.dataset}"
    if st.session_state.get(key) != chosen:
        st.session_state[key] = chosen
    with st.popover(f"Merging: {submit_markup.MODES[chosen][0]}", type="tertiary", icon=":material/call_merge:"):
        st.radio(
            "If somebody else commits meanwhile",
            list(submit_markup.MODES),
            key=key,
            format_func=lambda mode: submit_markup.MODES[mode][0],
            captions=[caption for _, caption in submit_markup.MODES.values()],
            on_change=_merged_by,
            args=(desk, key),
        )


def _merged_by(desk: Desk, key: str) -> None:
    desk.mode = str(st.session_state[key])


def _written(desk: Desk, key: str) -> None:
    desk.problem = ""
    desk.write_note(str(st.session_state[key] or ""))


def _take(desk: Desk, key: str) -> None:
    """A recent note into the field; below what was written there already."""
    taken = st.session_state[key]
    if taken:
        desk.problem = ""
        desk.write_note(f"{desk.note.rstrip()}\n{taken}".strip())
    st.session_state[key] = None


def _recent(session: Session) -> tuple[str, ...]:
    """Read once a tab and dataset; what is submitted here comes first from then on."""
    key = f"notes-{session.dataset}"
    if key not in kept():
        here = connection()
        try:
            kept()[key] = remote.recent_notes(here.bench, session.dataset, here.principal)
        except TowlineError:
            return ()  # notes can be written anew; the next run asks again
    notes: tuple[str, ...] = kept()[key]
    return notes


def _outlook(session: Session, desk: Desk, pending: Pending) -> Outlook:
    newer, head = desk.newer, session.page
    view = submit_markup.outlook(pending, desk.sheet, head)
    if view.stop or newer is None or head is None or newer.sheet.commit != head.commit:
        return view
    try:
        made = partial(submit.preview, pending, desk.sheet, newer.sheet, desk.mode)
        plan = memo.once("plan", (pending, newer, desk.mode), made)
    except UsageError as error:
        return Outlook(stop=f"{error}: load that commit first.")
    return submit_markup.merged(pending, newer, plan, head.at)


def _button(desk: Desk, view: Outlook, note_key: str, *, is_down: bool) -> None:
    """What will happen, and the button. What is to be said of the note stands below: what moves the button between
    press and release loses the click. A missing note does not disable it, as one that is being written counts."""
    said = st.empty()  # in its place also when there is nothing to say, as is the hint: what follows stays in its own
    if view.said and desk.sent is None:
        said.html(markup.block(f'<span class="tl-quiet">{escape(view.said)}</span>'))
    is_blocked = bool(view.stop) or is_down or desk.sent is not None
    st.button(
        "Submit",
        key="do-submit",
        type="primary",
        width="stretch",
        disabled=is_blocked,
        on_click=_submit,
        args=(desk, note_key),
    )
    with st.empty():
        if desk.sent is None and not is_down:
            _hint(desk, view)


def _hint(desk: Desk, view: Outlook) -> None:
    """What is to be done first."""
    hint = view.stop or submit_markup.note_problem(desk.note)
    if hint == submit_markup.NOTHING:
        st.html(markup.block(f'<span class="tl-quiet">{hint}</span>'))
    elif hint:
        broken = markup.scroll(submit_markup.violations(view.plan)) if view.plan is not None else ""
        st.html(markup.message("info", hint) + broken)


def _submit(desk: Desk, note_key: str) -> None:
    note = str(st.session_state.get(note_key) or "")
    desk.write_note(note)
    dataset = _dataset(desk)
    begun = time.monotonic()
    if submit.submit(desk, dataset, note) and desk.sent is not None:
        kept()[_RECEIVED] = desk.sent.proposal, 1000 * (time.monotonic() - begun)
        known = f"notes-{desk.sheet.dataset}"
        notes = dict.fromkeys((note.strip(), *kept().get(known, ())))
        kept()[known] = tuple(notes)[: remote.NOTES]
        see_through(lambda: desk.sent, lambda: submit.look(desk, dataset))


def see_through(under_way: Callable[[], Draft | None], look: Callable[[], object]) -> None:
    """Most proposals are through before the page could be drawn: then it is drawn once, and with the outcome."""
    with suppress(TowlineError):  # which the page says when it looks itself
        while (draft := under_way()) is not None and submit.age(draft, connection().bench.clock()) < AT_ONCE:
            look()
            time.sleep(SOON)


def _dataset(desk: Desk) -> Dataset:
    return connection().dataset(desk.sheet.dataset)


def _blocked(rows: int) -> str:
    stay = f" Your changes in {markup.count(rows, 'row')} stay here, and you can download them." if rows else ""
    where = connection().settings.endpoint_url or "AWS"
    return f"S3 does not answer ({where}), so saving is blocked.{stay} This page looks again every few seconds."


def _doubt(desk: Desk) -> None:
    st.html(submit_markup.doubt(desk.doubt))
    st.button("Send again", key="do-again", on_click=_again, args=(desk,))


def _again(desk: Desk) -> None:
    if desk.sent is not None:
        submit.send(desk, _dataset(desk), desk.sent)


def _watch(desk: Desk, *, is_late: bool) -> None:
    """One look at the proposal that is under way, drawn every now and then, so that the grid is heard in between."""
    if desk.sent is None or is_late != _is_late(desk):
        st.rerun()
    try:
        receipt = submit.look(desk, _dataset(desk))
    except TowlineError as error:
        st.html(markup.message("warn", f"Your proposal was sent, and its outcome cannot be read now: {error}"))
        return
    if receipt.rests:
        st.rerun()
    st.html(submit_markup.steps(receipt, _received(receipt.proposal)))
    if is_late:
        st.html(markup.message("warn", "This takes long. Your proposal is safe in the inbox; nothing more is needed."))


def _is_late(desk: Desk) -> bool:
    return desk.sent is not None and submit.age(desk.sent, connection().bench.clock()) > PATIENCE


def _received(proposal: str) -> float | None:
    known, took = kept().get(_RECEIVED, ("", None))
    return took if known == proposal else None


def _outcome(desk: Desk) -> None:
    receipt = desk.receipt
    if receipt is None:
        return
    is_above = desk.newer is not None and receipt.status == "conflicted"
    st.html(
        submit_markup.steps(receipt, _received(receipt.proposal)) + submit_markup.outcome(receipt, is_above=is_above)
    )
    if not receipt.final or receipt.status == "committed":
        return
    if not is_above:
        st.html(markup.block(markup.scroll(submit_markup.details(receipt, desk.sheet.contract))))
    if receipt.status == "conflicted":
        to = ("Conflicts", receipt.dataset, {"proposal": receipt.proposal})
        st.button("Solve on the Conflicts page", icon=":material/call_merge:", on_click=going.to, args=to)
