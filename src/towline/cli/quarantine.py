"""`towline quarantine`: what was refused, why, where it is, and to try it again."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from towline import keys
from towline.cli import tables
from towline.cli.options import Call, called, force_option, timeout_option
from towline.cli.output import cell, check_target, emit, progress, safe, say, show, write_file
from towline.errors import EXIT_OK, EXIT_UNAVAILABLE, EXIT_VIOLATIONS, UsageError
from towline.ingest import manifest, quarantined, retrying
from towline.ingest.entry import QUARANTINED, Entry, ingest_time
from towline.ingest.landed import datasets
from towline.ingest.quarantined import Refused, Report
from towline.store import GIB
from towline.values import encode

LISTED = 50  # what a person is shown of a list
LONGEST = 200  # characters of a reason in a list
MAX_FILE = 2 * GIB  # bytes that are fetched by -o
PAUSE = 0.5  # seconds between two looks

LIST, SHOW, RETRY = ACTIONS = ("list", "show", "retry")


@click.command("quarantine")
@click.argument("action", type=click.Choice(ACTIONS))
@click.argument("name", metavar="[DATASET|ID]", required=False)
@click.option("--dataset", metavar="DATASET", help="Where to look for the ID [default: in every dataset].")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Get the refused file back."
)
@force_option
@click.option("--wait", is_flag=True, help="Wait for what comes of a retry, and exit with its code.")
@timeout_option
@called
def command(
    call: Call,
    action: str,
    name: str | None,
    dataset: str | None,
    output: Path | None,
    force: bool,
    wait: bool,
    timeout: float,
) -> int:
    """What was refused: list it, show why, or have a file tried again.

    \b
    towline quarantine list [DATASET]       what was refused, newest first
    towline quarantine show ID              why, the refused rows, and where the bytes are
    towline quarantine retry ID             try a file again, as when its pipeline was mended

    An ID is that of an ingest or of a proposal; `list` tells it.
    """
    if (output is not None and action != SHOW) or (wait and action != RETRY):
        raise UsageError("--output belongs to `show`, --wait to `retry`")
    if action == LIST:
        return _list(call, name or dataset)
    if name is None:
        raise UsageError(f"say what to {action}: its ID, as `towline quarantine list` tells it")
    refused = quarantined.find(call.connection.bench, name, dataset)
    if action == RETRY:
        return _retry(call, refused, timeout if wait else None)
    return _show(call, refused) if output is None else _fetch(call, refused, output, force=force)


def _list(call: Call, dataset: str | None) -> int:
    bench = call.connection.bench
    names = [keys.check_dataset(dataset)] if dataset else datasets(bench.store)
    found = [each for name in names for each in quarantined.listing(bench, name)]
    shown = found if call.as_json else found[:LISTED]
    reports = quarantined.reports(bench, shown)
    if call.as_json:
        emit([_json(refused, report) for refused, report in zip(shown, reports, strict=True)])
    elif not found:
        say(f"the quarantine {f'of {dataset} ' if dataset else ''}is empty")
    else:
        show(_table(shown, reports))
        if len(found) > LISTED:
            say(f"… and {len(found) - LISTED:,} older (--json lists all)")
    return EXIT_OK


def _table(found: Sequence[Refused], reports: Sequence[Report]) -> Table:
    table = tables.plain_table("id", "dataset", "day", "what", "file", "why")
    for refused, report in zip(found, reports, strict=True):
        why = report.reasons[0] if report.reasons else ""
        more = f" (and {len(report.reasons) - 1} more)" if len(report.reasons) > 1 else ""
        line = (
            refused.id,
            refused.dataset,
            refused.day,
            _what(refused, report),
            _name(refused, report),
            _cut(why) + more,
        )
        table.add_row(*(Text(_line(text)) for text in line))
    return table


def _show(call: Call, refused: Refused) -> int:
    report = quarantined.report(call.connection.bench, refused)
    rows, count = _rows(call, refused)
    if call.as_json:
        emit({**_json(refused, report), "rows": rows, "row_count": count})
    else:
        _tell(refused, report)
        _tell_rows(rows, count)
    return EXIT_OK


def _fetch(call: Call, refused: Refused, output: Path, *, force: bool) -> int:
    check_target(output, force=force)
    store = call.connection.bench.store
    key = quarantined.file_of(refused, quarantined.report(call.connection.bench, refused))
    body = store.get(key, max_bytes=MAX_FILE).body
    write_file(output, body, force=force)
    if call.as_json:
        emit({"key": key, "file": str(output), "bytes": len(body)})
    else:
        say(f"{output}: {len(body):,} bytes of {_line(key)}")
    return EXIT_OK


def _rows(call: Call, refused: Refused) -> tuple[list[Mapping[str, Any]], int]:
    if refused.rows is None:
        return [], 0
    table, count = quarantined.rows(call.connection.bench, refused)
    return [{name: encode(value) for name, value in row.items()} for row in table.to_pylist()], count


def _tell(refused: Refused, report: Report) -> None:
    show(Text(f"{refused.id}: {_what(refused, report)} of {refused.dataset}, refused on {refused.day}"))
    show(*(Text(f"✕ {safe(reason)}") for reason in report.reasons))
    for name, key in (("came as", report.raw), ("bronze", report.bronze)):
        if key:
            show(Text(f"{name} {_line(key)}", style="dim"))
    show(*(Text(f"kept in {_line(each.key)} ({each.size:,} bytes)", style="dim") for each in refused.objects))


def _tell_rows(rows: Sequence[Mapping[str, Any]], count: int) -> None:
    if not rows:
        return
    table = tables.plain_table(*map(_line, rows[0]))
    for row in rows[:LISTED]:
        table.add_row(*(cell(value) for value in row.values()))
    show(table)
    if count > LISTED:
        say(f"… and {count - LISTED:,} more rows (--json shows {quarantined.SHOWN:,} of them)")


def _retry(call: Call, refused: Refused, timeout: float | None) -> int:
    """`timeout`: seconds to wait for what comes of it; None: it is not waited for."""
    bench = call.connection.bench
    entry = quarantined.entry_of(bench, refused)
    before = len(_attempts(call, entry))
    key = retrying.ask(bench.store, entry, call.connection.principal).key
    found = None if timeout is None else _await(call, entry, before, timeout)
    if call.as_json:
        told = None if found is None else {"ingest": found.ingest, "status": found.status, "reasons": found.reasons}
        emit({"ingest": refused.id, "dataset": refused.dataset, "retry": key, "outcome": told})
    elif found is not None:
        show(Text(safe(quarantined.said(found))))
    else:
        late = "" if timeout is None else f"nothing came of it within {timeout:g} s; "
        show(Text(f"{late}{refused.id} is tried again: `towline manifest {refused.dataset}` tells what comes of it"))
    if found is None:
        return EXIT_OK if timeout is None else EXIT_UNAVAILABLE
    return EXIT_VIOLATIONS if found.status == QUARANTINED else EXIT_OK


def _await(call: Call, entry: Entry, before: int, timeout: float) -> Entry | None:
    """The first new entry; None: there is none in time."""
    deadline = time.monotonic() + timeout
    with progress(f"{entry.ingest} is tried again", quiet=call.as_json):
        while True:
            found = _attempts(call, entry)
            if len(found) > before or time.monotonic() >= deadline:
                return found[-1] if len(found) > before else None
            time.sleep(PAUSE)


def _attempts(call: Call, entry: Entry) -> list[Entry]:
    since = ingest_time(entry.ingest)
    return quarantined.attempts(manifest.scan(call.connection.bench.store, entry.dataset, since), entry.ingest)


def _what(refused: Refused, report: Report) -> str:
    if _kind(refused, report) == quarantined.ROWS_OF and report.refused is not None:
        return f"{report.refused:,} row{'s' * (report.refused != 1)}"
    return _kind(refused, report)


def _kind(refused: Refused, report: Report) -> str:
    """A file of which a load took nothing has its rows there, too."""
    return quarantined.FILE if report.failed else refused.kind


def _name(refused: Refused, report: Report) -> str:
    key = report.raw or next((each.key for each in refused.kept), "")
    return key.rsplit("/", 1)[-1]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _line(text: str) -> str:
    """Text on one line: names of strangers may hold line breaks."""
    return safe(text).replace("\n", "␊")


def _json(refused: Refused, report: Report) -> dict[str, Any]:
    objects = [{"key": each.key, "bytes": each.size} for each in refused.objects]
    own = {"id": refused.id, "dataset": refused.dataset, "day": refused.day, "kind": _kind(refused, report)}
    told = {name: getattr(report, name) for name in ("reasons", "at", "raw", "bronze", "refused")}
    return {**own, **told, "objects": objects}
