"""`towline doctor`: whether everything works, and what to do about what does not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict

import click
from rich.text import Text

from towline.cli import checks_bucket, checks_machine, tables
from towline.cli.check import FAIL, OK, SKIP, WARN, Check, checked
from towline.cli.options import Call, called
from towline.cli.output import emit, progress, safe, show
from towline.errors import EXIT_OK, EXIT_UNAVAILABLE
from towline.settings import Settings

_COLOURS = {OK: "green", WARN: "yellow", FAIL: "bold red", SKIP: "dim"}


@click.command("doctor")
@called
def command(call: Call) -> int:
    """Check that everything works, and say how to mend what does not. Exits with 12 if something does not."""
    with progress("looking", quiet=call.as_json):
        found = examine(call)
    sound = not any(check.status == FAIL for check in found)
    if call.as_json:
        emit({"ok": sound, "checks": [asdict(check) for check in found]})
    else:
        _print(found)
    return EXIT_OK if sound else EXIT_UNAVAILABLE


def examine(call: Call) -> list[Check]:
    """Every check; those that need a bucket are skipped where none is configured or running."""
    remote = bool(os.environ.get("S3_BUCKET")) and not _settings(call).local
    found = checks_machine.everywhere()
    if not remote:
        found += checks_machine.local(call.data_dir)
    settings, problem = checked("settings", lambda: _settings(call))
    if settings is None:
        return [*found, problem]
    where = settings.endpoint_url or f"AWS, {settings.region}"
    return [*found, Check("settings", OK, f"bucket {settings.bucket} at {where}"), *checks_bucket.every(call, settings)]


def _settings(call: Call) -> Settings:
    return Settings.resolve(os.environ, call.data_dir)


def _print(found: Sequence[Check]) -> None:
    table = tables.plain_table("check", "", "found")
    for check in found:
        text = Text(safe(check.found))
        if check.fix:
            text.append(f"\n-> {safe(check.fix)}", style="bold" if check.status == FAIL else "")
        table.add_row(Text(check.name), Text(check.status, style=_COLOURS[check.status]), text)
    bad = sum(check.status == FAIL for check in found)
    verdict = Text(f"{bad} to mend" if bad else "everything works", style="bold red" if bad else "bold green")
    show(table, verdict)
