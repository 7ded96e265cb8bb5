"""Options that commands share, handed to them as one value each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from towline import connect
from towline.connect import Connection
from towline.dataset import PATIENCE
from towline.errors import UsageError

Function = Callable[..., Any]


@dataclass(frozen=True)
class Call:
    """How a command was called: for people or for programs, and on which data directory."""

    as_json: bool
    data_dir: Path | None = None

    @cached_property
    def connection(self) -> Connection:
        return connect.here(self.data_dir)

    def name(self, dataset: str | None) -> str:
        """The dataset that was named, or that S3_MASTER_KEY points at."""
        found = dataset or self.connection.settings.dataset
        if found is None:
            raise UsageError("name a dataset; `towline datasets` lists them")
        return found


@dataclass(frozen=True)
class Sending:
    """How a proposal is to be sent. `timeout` is in seconds."""

    note: str
    dry_run: bool
    wait: bool
    timeout: float


def called(function: Function) -> Function:
    """Add --json and --data-dir, and pass them as `call`."""

    @click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Data directory of the local stack [default: TOWLINE_DATA_DIR, else the stack started last].",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout, and nothing else.")
    @functools.wraps(function)
    def wrapped(as_json: bool, data_dir: Path | None, **rest: Any) -> Any:
        return function(Call(as_json, data_dir), **rest)

    return wrapped


def sends(function: Function) -> Function:
    """Add --note, --dry-run, --wait and --timeout, and pass them as `sending`."""
    note = click.option("--note", required=True, metavar="TEXT", help="Why; kept with the change for ever.")
    return _sends(note(function))


def sends_again(function: Function) -> Function:
    """The same for what was sent before: its note will do."""
    note = click.option("--note", default="", metavar="TEXT", help="Why [default: as the proposal said].")
    return _sends(note(function))


def sends_perhaps(function: Function) -> Function:
    """The same for a command that can also act on what was sent before."""
    note = click.option("--note", default="", metavar="TEXT", help="Why; kept with the change for ever. Edits need it.")
    return _sends(note(function))


def _sends(function: Function) -> Function:
    @click.option("--dry-run", is_flag=True, help="Show what would happen, and change nothing.")
    @click.option("--wait", is_flag=True, help="Wait for the outcome, and exit with its code.")
    @timeout_option
    @functools.wraps(function)
    def wrapped(*args: Any, note: str, dry_run: bool, wait: bool, timeout: float, **rest: Any) -> Any:
        return function(*args, sending=Sending(note, dry_run, wait, timeout), **rest)

    return wrapped


timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=PATIENCE,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait; what takes longer is decided all the same.",
)
dataset_argument = click.argument("dataset", required=False)
table_file = click.Path(exists=True, dir_okay=False, path_type=Path)
mode_option = click.option(
    "--mode",
    type=click.Choice(["cell", "row", "table", "fill"]),
    help="How to merge with what others did since the base [default: as the contract says, else cell].",
)
where_option = click.option(
    "--where", multiple=True, metavar="COLUMN=VALUE,…", help="Rows that hold all of these values; null is null."
)
at_option = click.option(
    "--at", metavar="COMMIT|NUMBER|TIME", help="Another commit than the head; times are UTC where they name no zone."
)
force_option = click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
escape_option = click.option(
    "--escape-formulas",
    is_flag=True,
    help="In CSV and XLSX, put an apostrophe before text that a spreadsheet would run as a formula.",
)
