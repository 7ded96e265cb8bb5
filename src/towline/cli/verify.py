"""`towline verify`: whether a dataset's history is whole."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.text import Text

from towline.cli.options import Call, called, dataset_argument
from towline.cli.output import emit, progress, safe, show
from towline.errors import EXIT_OK, EXIT_VIOLATIONS
from towline.verify import Finding, Verdict, verify

LISTED = 50  # findings that a person is shown


@click.command("verify")
@dataset_argument
@click.option("--quick", is_flag=True, help="Read no table: versions, records, receipts and checksums only.")
@called
def command(call: Call, dataset: str | None, quick: bool) -> int:
    """Check that a dataset's history is whole: every version of the master is recorded, the records are one chain, and
    the changes lead from the first table to the last. Exits with 10 where it is not."""
    name = call.name(dataset)
    with progress(f"{name}: reading the records", quiet=call.as_json) as phase:
        found = verify(
            call.connection.bench,
            name,
            quick=quick,
            seen=lambda done, whole: phase(f"{name}: commit {done:,} of {whole:,}"),
        )
    if call.as_json:
        emit(found.to_json())
    else:
        _tell(found)
    return EXIT_OK if found.ok else EXIT_VIOLATIONS


def _tell(found: Verdict) -> None:
    _list(found.findings, "✕", "red")
    _list(found.notes, "•", "dim")
    show(Text(found.says, style="green" if found.ok else "bold red"))
    if found.ok and found.chain:
        show(Text(f"head {found.head}, chain {found.chain}", style="dim"))


def _list(findings: Sequence[Finding], sign: str, style: str) -> None:
    for finding in findings[:LISTED]:
        show(Text(f"{sign} ", style=style).append(safe(finding.says), style="default"))
        show(Text(f"  -> {safe(finding.do)}", style="dim"))
    if len(findings) > LISTED:
        show(Text(f"… and {len(findings) - LISTED:,} more (--json lists all)", style="dim"))
