"""HTML of the SQL page: what can be put into a statement, why one is refused, what it would do, what became of it.
Pure; everything that comes from data is escaped here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from app import markup, preview_markup
from app.past import html
from app.sql.reading import LINE, SHOWN, Reading
from app.sql.sources import Source
from app.sql.words import quoted
from towline.contract import Contract
from towline.mine import Letter
from towline.receipts import Receipt


def side(sources: Sequence[Source], examples: Sequence[tuple[str, str]], recent: Sequence[str]) -> str:
    """What can be put into the SQL: whole statements in its place, tables and columns at the cursor."""
    lately = _statements("Run lately", [(_line(text), text) for text in recent]) if recent else ""
    return f"{_statements('Examples', examples)}{lately}{''.join(map(_source, sources))}"


def _source(source: Source) -> str:
    head = _put(quoted(source.name), source.name, source.about, "tl-head")
    about = '<span class="tl-quiet">edits change this one</span>' if source.is_edited else ""
    columns = "".join(
        f'<li>{_put(quoted(name), name, f"Put {name} in")} <span class="tl-quiet">{escape(type)}</span></li>'
        for name, type in source.columns.items()
    )
    summary = f"<summary>{markup.count(len(source.columns), 'column')}</summary>"
    opened = " open" if source.is_edited else ""
    listed = f'<details data-name="{escape(source.name)}"{opened}>{summary}<ul>{columns}</ul></details>'
    return f'<div class="tl-source">{head} {about}{listed if columns else ""}</div>'


def _statements(title: str, found: Iterable[tuple[str, str]]) -> str:
    items = "".join(f"<li>{_put(text, name, text, whole=True)}</li>" for name, text in found)
    return f'<details data-name="{title}"><summary class="tl-head">{title}</summary><ul>{items}</ul></details>'


def _put(text: str, name: str, help: str, kind: str = "", *, whole: bool = False) -> str:
    whole_ = " data-whole" if whole else ""
    return (
        f'<button type="button" class="tl-act {kind}" data-put="{escape(text)}"{whole_} title="{escape(help)}">'
        f"{escape(name)}</button>"
    )


def _line(text: str) -> str:
    return html.cut(" ".join(text.split()), LINE)


def refusal(text: str) -> str:
    """Why a statement is not run. The first line says it; what follows shows the place, with a caret below."""
    first, _, rest = f"{text[:1].upper()}{text[1:]}".partition("\n")
    place = f'<pre class="tl-place">{escape(rest)}</pre>' if rest else ""
    return markup.box("stop", f'<span class="tl-sign">✕</span>{escape(first)}{place}')


def result(found: Reading) -> str:
    """How much a query found, how much of that is shown, and what it cost."""
    total = found.table.num_rows if found.table is not None else 0
    cut = f"the first {SHOWN:,} of {markup.count(total, 'row')}; the files have all" if total > SHOWN else ""
    return markup.block(cut or markup.count(total, "row")) + preview_markup.cost(
        found.execution.scanned_bytes, found.usd, found.execution.engine_ms
    )


_STATES = {
    "received": "received",
    "accepted": "tried out on a copy",
    "committing": "being committed",
    "previewed": "waits for your word",
    "in_review": "waits for a steward",
}
_SIGNS = {"committed": "✓", "rejected": "✕", "conflicted": "✕", "in_review": "●", "previewed": "●"}


def run_head(receipt: Receipt) -> str:
    """Which edit this is, and why it is wanted."""
    said = html.note(receipt.note) if receipt.note else ""
    text = statement_of(receipt)
    return f'<div class="tl">{said}<div class="tl-quiet">run {escape(receipt.proposal)}</div></div>' + (
        markup.statement(text) if text else ""
    )


def statement_of(receipt: Receipt) -> str:
    """The statement of a run; empty before anybody has read it."""
    return str(receipt.run.get("statement") or "")


def going(receipt: Receipt, said: str, now: datetime) -> str:
    """How far an edit has got."""
    said = said or ("promote" if receipt.run.get("promoted") else "")
    step = {"promote": "being promoted", "discard": "being dropped"}.get(said) or _STATES.get(receipt.status, "")
    since = str(receipt.history[-1].get("at", "")) if receipt.history else ""
    took = f", {(now - datetime.fromisoformat(since)).total_seconds():.0f} s" if since else ""
    return f'<div class="tl" role="status">… {escape(step)}{took}</div>'


def too_late(receipt: Receipt) -> str:
    """Why a word on a preview does not count any more."""
    if receipt.status == "committed":
        return f"It was promoted already: it is commit {receipt.number}. A preview is promoted once; nothing was sent."
    return f"It is decided already ({_state(receipt)}). A word on a preview counts once; nothing was sent."


def outcome(receipt: Receipt, contract: Contract) -> str:
    """What became of an edit."""
    if receipt.status == "committed":
        merged = "; merged onto what others committed meanwhile" if _was_merged(receipt) else ""
        return markup.message("done", f"Committed as {receipt.message}{merged}.")
    if receipt.status == "in_review":
        return markup.message("info", f"In review: {receipt.message}.")
    if receipt.status == "conflicted":
        said = "Others changed the same cells meanwhile. The table is as it was: decide, cell by cell."
        return markup.message("stop", said) + markup.scroll(markup.conflicts(receipt.conflicts, contract))
    if receipt.run.get("discarded"):
        return markup.message("info", "Discarded: nothing was changed.")
    return _rejected(receipt)


def _was_merged(receipt: Receipt) -> bool:
    """Whether it was put onto another commit than it was tried out on."""
    tried = receipt.run.get("number")
    return isinstance(tried, int) and receipt.base_number is not None and receipt.base_number > tried


def _rejected(receipt: Receipt) -> str:
    kept = f'<div class="tl-quiet">kept whole in {escape(receipt.quarantine)}</div>' if receipt.quarantine else ""
    if not receipt.violations:
        return markup.message("stop", f"Nothing was changed: {receipt.message}.") + markup.block(kept)
    said = f"Nothing was changed: {markup.totals(receipt.errors, receipt.warnings)}."
    listed = markup.violations(receipt.violations, receipt.errors, receipt.warnings)
    return markup.message("stop", said) + markup.scroll(listed) + markup.block(kept)


def runs(found: Sequence[tuple[Letter, Receipt]], open_run: str, now: datetime) -> str:
    """Edits as a list of buttons, whose act is the run's id in JSON."""
    return f'<div class="tl">{"".join(_run(letter, receipt, open_run, now) for letter, receipt in found)}</div>'


def _run(letter: Letter, receipt: Receipt, open_run: str, now: datetime) -> str:
    said = f"{_SIGNS.get(receipt.status, '…')} {_state(receipt)}"
    current = ' aria-current="true"' if receipt.proposal == open_run else ""
    text = statement_of(receipt) or receipt.note or receipt.proposal
    return (
        f'<button type="button" class="tl-act tl-run" data-act="{escape(json.dumps(receipt.proposal))}"{current}>'
        f"<b>{escape(said)}</b><code>{escape(_line(text))}</code>"
        f'<span class="tl-quiet">{escape(markup.age(letter.at, now))}</span></button>'
    )


def _state(receipt: Receipt) -> str:
    if receipt.status == "committed":
        return f"commit {receipt.number}"
    return "discarded" if receipt.run.get("discarded") else _STATES.get(receipt.status, receipt.status)
