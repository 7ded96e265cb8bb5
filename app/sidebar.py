"""The sidebar: which dataset, where it lies, who you are, and the head."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import markup
from app.editing.remote import Glance
from app.session import Session, connection

EVERY = 5.0  # seconds between two looks at the head


def draw(session: Session) -> bool:
    """Draw it and choose the dataset; False where there is none to work on."""
    with st.sidebar:
        names = session.list_datasets()
        if not names:
            st.html(_where())
            st.html(markup.message("info", "There is no dataset in this bucket yet. Make one with `towline create`."))
            return False
        session.dataset = st.selectbox("Dataset", names, key="dataset", bind="query-params")
        session.page = session.look()
        _head()
        st.html(_where())
    return True


@st.fragment(run_every=EVERY)
def _head() -> None:
    """The head, looked at now and then. Where it is not what the page was drawn with, the page is drawn again."""
    session = Session.here()
    seen = session.look()
    if session.page is not None and _differs(seen, session.page):
        st.rerun()
    st.html(_seen(seen, session.glances[session.dataset]))


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
