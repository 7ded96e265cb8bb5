"""The command line: one module a verb, imported when it is called, so that `towline --help` is fast.

Each verb's module has a `command`, which parses, makes one call and renders. What goes wrong is one line on stderr
(and with --json an object on stdout) and the exit code of ARCHITECTURE.md's table, which is in towline.errors.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

import click

from towline import __version__
from towline.errors import EXIT_USAGE, TowlineError

INTERRUPTED = 130  # what a shell reports of a program that Ctrl-C ended

VERBS = {
    "up": "Start the local stack and the editor.",
    "down": "Stop the local stack and its editor.",
    "demo": "Start the local stack with a sample table to play with.",
    "app": "Run the editor alone, against the current settings.",
    "env": "Print the settings as export lines for a shell.",
    "health": "Tell how things are: queues, dead letters, datasets, disk, versions.",
    "doctor": "Check that everything works, and say how to mend what does not.",
    "create": "Make a dataset from a table file.",
    "datasets": "List the datasets.",
    "show": "Show a dataset's table.",
    "export": "Write a dataset's table to a CSV, XLSX or Parquet file.",
    "propose": "Propose a table file: what differs from its base is the edit.",
    "edit": "Set cells in the rows that match.",
    "insert": "Insert a row.",
    "delete": "Delete the rows that match.",
    "sql": "Edit a dataset by SQL, with a preview before anything moves.",
    "restore": "Bring back what an earlier commit held, or undo one commit.",
    "status": "Tell what became of a proposal.",
    "resolve": "Decide the conflicts of a proposal, and send it again.",
    "review": "List what waits for review, look at it, approve or reject it.",
    "log": "List what happened to a dataset, newest first.",
    "diff": "Compare two commits of a dataset.",
    "blame": "Tell who set a cell, a row or a column, when and why.",
    "query": "Ask by SQL: the tables, their snapshots, every change and who made it.",
    "verify": "Check that a dataset's history is whole.",
    "sample": "Show the first rows of a raw file.",
    "quarantine": "List what was refused, show why, and have a file tried again.",
    "flatten": "Make one Parquet object of the part files under a prefix.",
    "ingest": "Send files to be taken in: to bronze, or to quarantine with a reason.",
    "manifest": "List the files that came in, and what became of each.",
    "prune": "Move old snapshots and audit records into the archive.",
    "load": "Load the files of a dataset that wait in bronze.",
    "gold": "Make the gold tables of a dataset anew where silver has changed.",
    "trace": "Tell where a file's rows went, and where a table's came from.",
    "publish": "Publish a copy of a dataset for other engines, such as an Iceberg table.",
}


class Towline(click.Group):
    """A group whose commands are found by name, and whose failures are told by their kind."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        command: click.Command = import_module(f"towline.cli.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            near = get_close_matches(args[0], VERBS, 1)
            ctx.fail(f"there is no command {args[0]!r}" + (f"; did you mean {near[0]}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and exit with the code of what happened. Click's own rendering of failures (`standalone_mode`) is not
        wanted: a program that asked for JSON gets its errors in it too."""
        arguments = list(sys.argv[1:] if args is None else args)
        _print_anything()
        try:
            code = super().main(arguments, prog_name or "towline", complete_var, standalone_mode=False, **extra)
        except (click.Abort, KeyboardInterrupt):
            code = _fail(arguments, "interrupted", "interrupted", INTERRUPTED)
        except click.UsageError as error:
            code = _fail(arguments, "usage", _usage(error), EXIT_USAGE)
        except TowlineError as error:
            code = _fail(arguments, error.kind, str(error), error.exit_code)
        except OSError as error:
            if error.filename is None:
                raise
            code = _fail(arguments, "usage", f"{error.filename}: {error.strerror}", EXIT_USAGE)
        sys.exit(code if isinstance(code, int) else 0)


def _print_anything() -> None:
    """What a terminal's encoding lacks is shown escaped, instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _usage(error: click.UsageError) -> str:
    hint = f" (`{error.ctx.command_path} --help` tells more)" if error.ctx else ""
    return f"{error.format_message().rstrip()}{hint}"


def _fail(arguments: Sequence[str], kind: str, message: str, code: int) -> int:
    click.echo(f"error: {message}", err=True)
    if "--json" in arguments:
        click.echo(json.dumps({"error": kind, "message": message}, ensure_ascii=False).encode("utf-8", "replace"))
    return code


@click.command(
    cls=Towline,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 2 usage, 10 violations, 11 conflict, 12 unavailable or unknown, 13 not found, "
    "14 refused by policy.",
)
@click.version_option(__version__, prog_name="towline")
def main() -> None:
    """A shared research table as one Parquet object on versioned S3: edited like a spreadsheet, merged, audited,
    never lost."""


def run() -> NoReturn:
    """The console script. Once all is said it leaves at once: at an ordinary exit Arrow's thread pools are taken down
    while their threads may still be starting, and on a busy machine that aborts (exit code 134) a program which has
    done its work."""
    code: object = 0
    try:
        main()
    except SystemExit as done:
        code = done.code
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # nobody reads any more, as in `towline log | head`
            stream.flush()
    os._exit(code if isinstance(code, int) else 0)
