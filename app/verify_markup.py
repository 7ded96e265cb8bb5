"""HTML of what verifying a dataset found. Pure; everything that was found is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from app.markup import box, prose
from towline.verify import Finding, Verdict

HELP = "Check every version, record, snapshot and changes file, and replay the history. It changes nothing."
LISTED = 50  # findings that are shown


def verdict(found: Verdict) -> str:
    """The verdict, every break with its way out, and what is worth knowing beside them."""
    sign, kind = ("✓", "done") if found.ok else ("✕", "stop")
    said = box(kind, f'<span class="tl-sign">{sign}</span><b>{escape(found.says)}</b>')
    chain = (
        f'<p class="tl-quiet">head {escape(str(found.head))}, chain {escape(str(found.chain))}</p>' if found.ok else ""
    )
    return f'<div class="tl tl-health">{said}{_list(found.findings, "✕")}{_list(found.notes, "•")}{chain}</div>'


def _list(findings: Sequence[Finding], sign: str) -> str:
    shown = "".join(_line(finding, sign) for finding in findings[:LISTED])
    more = len(findings) - LISTED
    rest = f"<li>… and {more:,} more; <code>towline verify --json</code> lists all</li>" if more > 0 else ""
    return f"<ul>{shown}{rest}</ul>" if findings else ""


def _line(finding: Finding, sign: str) -> str:
    way = f'<br><span class="tl-way">→ {prose(finding.do)}</span>'
    return f'<li><span class="tl-sign">{sign}</span><span>{escape(finding.says)}{way}</span></li>'
