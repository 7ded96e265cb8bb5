"""The sidebar: which dataset, where it lies, who you are, and the head."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import markup
from app.editing.remote import Glance
from app.session import LOOKING, Session, connection

_PARAMETER = "dataset"


def draw(session: Session) -> bool:
    """Draw it and choose the dataset; False where there is none to work on."""
    with st.sidebar:
        names = session.list_datasets()
        if not names:
            st.html(_where())
            st.html(markup.message("info", "There is no dataset in this bucket yet. Make one with `towline create`."))
            return False
        session.dataset = _chosen(names)
        session.page = session.glance()
        _head()
        st.html(_where())
    return True


def _chosen(names: list[str]) -> str:
    """The dataset that the address names; else the one that was chosen last. The address always tells it, so that it
    can be sent to somebody else."""
    asked = st.query_params.get(_PARAMETER, "")
    if asked in names:
        st.session_state[_PARAMETER] = asked
    chosen: str = st.selectbox("Dataset", names, key=_PARAMETER, on_change=_choose)
    if not asked:
        st.query_params[_PARAMETER] = chosen
    elif asked not in names:
        st.html(markup.message("warn", f"There is no dataset {markup.cut(asked)!r} here; this is {chosen}."))
    return chosen


def _choose() -> None:
    """Another dataset: a commit or a row that the address named is none of it."""
    st.query_params.from_dict({_PARAMETER: st.session_state[_PARAMETER]})


@st.fragment(run_every=LOOKING)
def _head() -> None:
    """The head, looked at now and then. Where it is not what the page was drawn with, the page is drawn again."""
    session = Session.here()
    seen = session.look()
    if session.page is not None and _differs(seen, session.page):
        st.rerun()
    st.html(_seen(seen, session.glances[session.dataset]))
    desk = session.desks.get(session.dataset)
    if desk is not None and desk.sent is None and not seen.problem and seen.number > desk.sheet.number:
        st.html(markup.block(f"◆ newer than commit {desk.sheet.number}, which you edit"))


def _differs(one: Glance, other: Glance) -> bool:
    return (one.commit, one.down, bool(one.problem)) != (other.commit, other.down, bool(other.problem))


def _seen(seen: Glance, known: Glance) -> str:
    at = known.committed
    lines = [f'<span class="tl-head">Commit {known.number}</span>' if at else '<span class="tl-head">No commit</span>']
    if at is not None:
        lines.append(f"{escape(known.author or 'unknown')}, {markup.age(at, seen.at)}")
        lines.append(f'<span class="tl-quiet">“{escape(markup.cut(known.note))}”</span>' if known.note else "")
    if seen.problem:
        said = "S3 does not answer" if seen.down else seen.problem
        lines.append(f"<b>✕ {escape(said)}</b>")
    else:
        lines.append("● connected")
    return markup.block("<br>".join(line for line in lines if line))


def _where() -> str:
    """Bucket, endpoint and person, small."""
    found = connection()
    rows = {
        "Bucket": found.settings.bucket,
        "At": found.settings.endpoint_url or f"AWS, {found.settings.region}",
        "You": found.principal,
    }
    lines = (f'<span class="tl-quiet">{name}</span> {escape(held)}' for name, held in rows.items())
    return markup.block("<br>".join(lines))
