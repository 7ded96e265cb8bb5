"""HTML of files: the list, one file's facts, a table of a stranger's cells. Everything from data is escaped here, and a
name that would break its line is shown with signs for what breaks it.

A button's act is the id of an ingest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from app import markup
from app.files.ledger import TROUBLED, UNDER_WAY, Line
from app.files.sheet import Sheet
from towline.ingest.entry import BRONZE, DUPLICATE, QUARANTINED, Entry
from towline.pipeline.inventory import FAILED

# Sign, word, and what it means.
STATES: Mapping[str, tuple[str, str, str]] = {
    UNDER_WAY: ("…", "under way", "it has landed, and nobody has looked at it yet"),
    BRONZE: ("✓", "in bronze", "it is kept, byte for byte"),
    TROUBLED: ("▲", "rows refused", "it is in bronze, and the load refused some of its rows"),
    FAILED: ("✕", "not loaded", "it is in bronze, and the load refused all of it"),
    DUPLICATE: ("=", "duplicate", "the same bytes came before, under this or another name"),
    QUARANTINED: ("✕", "quarantined", "it was refused as a whole, and is kept with the reasons"),
}
NAME, LONGEST = 60, 400  # characters of a file's name in the list; of anything else that is shown
_UNITS = ("", "kB", "MB", "GB")
REASONS = 20  # that are listed

# What would end a line, move the cursor, be invisible, or turn the direction of writing.
_HIDDEN = [
    *range(0x20),
    *range(0x7F, 0xA0),
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    0xFEFF,
]
_PICTURES = dict.fromkeys(_HIDDEN, 0xFFFD) | {0x0A: 0x21B5, 0x0D: 0x21B5, 0x09: 0x20}


def safe(text: str, longest: int = LONGEST) -> str:
    """A stranger's text as HTML: one line, escaped, cut in the middle where it is long, so that its ending is seen."""
    shown = text.translate(_PICTURES)
    if len(shown) > longest:
        half = longest // 2
        shown = f"{shown[:half]}…{shown[-half:]}"
    return escape(shown)


def size(count: int) -> str:
    """`3.4 MB`: bytes in the unit that fits."""
    if count < 1000:
        return markup.count(count, "byte")
    power = min(3, (len(str(count)) - 1) // 3)
    held = count / 1000**power
    return f"{held:,.1f} {_UNITS[power]}" if held < 100 else f"{held:,.0f} {_UNITS[power]}"


def listing(lines: Sequence[Line], chosen: str, now: datetime) -> str:
    """The files as a table, each with a button; `chosen` is the id of the one that is open."""
    head = "".join(f"<th>{name}</th>" for name in ("", "File", "Source", "Kind", "Size", "Landed"))
    rows = "".join(_row(line, line.id == chosen and bool(chosen), now) for line in lines)
    return f'<div class="tl tl-files"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _row(line: Line, is_chosen: bool, now: datetime) -> str:
    sign, word, meaning = STATES[line.state]
    name = safe(line.file, NAME)
    file = markup.button(line.id, name, "Show this file", "tl-head") if line.id else f"<span>{name}</span>"
    cells = (
        f'<span class="tl-sign">{sign}</span>{word}',
        file,
        safe(line.source, NAME),
        safe(line.kind, 20),
        size(line.size),
        escape(markup.age(line.at, now)),
    )
    mark = ' class="tl-chosen" aria-current="true"' if is_chosen else ""
    titled = f' title="{escape(meaning)}"'
    body = "".join(f"<td{titled if not at else ''}>{cell}</td>" for at, cell in enumerate(cells))
    return f"<tr{mark}>{body}</tr>"


def head(line: Line) -> str:
    """Which file, and how it stands."""
    sign, word, meaning = STATES[line.state]
    title = f'<span class="tl-title">{safe(line.file, 2 * NAME)}</span>'
    return markup.block(f'{title}<br><span class="tl-sign">{sign}</span><b>{word}</b>: {meaning}')


def story(entry: Entry, at: datetime) -> str:
    """What the manifest knows of a file."""
    facts = {
        "Landed": f"{at:%Y-%m-%d %H:%M:%S} UTC{_took(entry, at)}",
        "Raw": entry.raw,
        "Version": entry.version or "",
        "Bronze": entry.bronze,
        "Kept in": entry.quarantine,
        "Bytes": f"{entry.size:,}",
        "Kind": entry.kind,
        "Fingerprint": entry.fingerprint,
        "SHA-256": entry.sha256 or "",
        "Same as": entry.duplicate_of or "",
        "Retry of": entry.retry_of or "",
        "Columns": ", ".join(entry.columns),
        "Ingest": entry.ingest,
    }
    return table_of(facts)


def _took(entry: Entry, at: datetime) -> str:
    try:
        seconds = (datetime.fromisoformat(entry.ingested) - at).total_seconds()
    except (ValueError, TypeError):  # not told, or without a zone
        return ""
    return f", known {max(0.0, seconds):.1f} s later"


def table_of(facts: Mapping[str, str]) -> str:
    """Facts, those that are empty left out."""
    rows = "".join(f"<tr><td>{safe(name)}</td><td>{safe(text)}</td></tr>" for name, text in facts.items() if text)
    return f'<div class="tl"><table class="tl-facts">{rows}</table></div>'


def reasons(found: Sequence[str]) -> str:
    """Why something was refused."""
    items = "".join(f'<li><span class="tl-sign">✕</span><span>{safe(reason)}</span></li>' for reason in found[:REASONS])
    more = f"<li>… and {len(found) - REASONS:,} more</li>" if len(found) > REASONS else ""
    return markup.box("stop", f"<ul>{items}{more}</ul>")


def sheet(found: Sheet, label: str) -> str:
    """A sample: a table that scrolls, a text, or facts."""
    parts = [
        table_of(found.facts) if found.facts is not None else "",
        _listing(found.text, label) if found.text else "",
        _frame(found, label) if found.names else "",
        markup.block(f'<span class="tl-quiet">{safe(found.note)}</span>') if found.note else "",
    ]
    return "".join(parts) or markup.block('<span class="tl-quiet">It is empty.</span>')


def _listing(text: str, label: str) -> str:
    plain = escape(text.translate({code: sign for code, sign in _PICTURES.items() if code not in (9, 10)}))
    return f'<pre class="tl tl-listing" tabindex="0" role="region" aria-label="{safe(label)}">{plain}</pre>'


def _frame(found: Sheet, label: str) -> str:
    heads = "".join(f"<th>{safe(name)}</th>" for name in found.names)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in found.rows)
    table = f'<table class="tl-sheet"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<div class="tl tl-frame" tabindex="0" role="region" aria-label="{safe(label)}">{table}</div>'


def _cell(text: str | None) -> str:
    return f"<td>{markup.value(None) if text is None else safe(text)}</td>"


def went(where: Mapping[str, Sequence[str]], most: int = 12) -> str:
    """Tables, each with the partitions that hold rows of a file."""
    items = "".join(
        f"<li><span><b>{safe(table)}</b> {', '.join(map(safe, parts[:most])) or 'all of it'}"
        f"{f' and {len(parts) - most:,} more' if len(parts) > most else ''}</span></li>"
        for table, parts in where.items()
    )
    return markup.block(f"<ul>{items}</ul>")


def rows_of(shown: int, count: int) -> str:
    """`all 3 rows`, `the first 100 of 3,412 rows`."""
    return f"all {markup.count(count, 'row')}" if shown >= count else f"the first {shown:,} of {count:,} rows"


def rows_said(found: Sheet) -> str:
    """What a sample holds, in words."""
    if not found.names:
        return ""
    return f"{markup.count(len(found.rows), 'row')}, {markup.count(len(found.names), 'column')}"


def known_at(line: Line) -> datetime:
    """When the manifest got to know of a file."""
    told = line.entry.ingested if line.entry else ""
    try:
        return datetime.fromisoformat(told)
    except ValueError:
        return line.at


def attempt(line: Line, count: int) -> str:
    """What came of the last retry, with a button that opens it."""
    sign, word, _ = STATES[line.state]
    times = "" if count == 1 else f" ({count:,} times)"
    button = markup.button(line.id, f"{word}", "Show what came of it", "tl-head")
    return markup.block(f'<span class="tl-sign">{sign}</span>tried again{times}: {button}')


def first(line: Line) -> str:
    """How the file stands whose bytes a duplicate has, with a button that opens it."""
    sign, word, meaning = STATES[line.state]
    button = markup.button(line.id, safe(line.file, NAME), "Show that file", "tl-head")
    return markup.block(f'{button} <span class="tl-sign">{sign}</span><b>{word}</b>: {meaning}')
