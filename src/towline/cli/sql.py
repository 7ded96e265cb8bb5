"""`towline sql`: an edit in SQL, previewed or promoted; and the word on what was previewed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from towline import history, runs
from towline.cli import preview
from towline.cli.options import Call, Sending, called, mode_option, sends_perhaps
from towline.cli.outcome import await_receipt, submit, tell, unknown
from towline.cli.output import emit, say
from towline.dataset import Dataset, Draft, Ticket
from towline.errors import EXIT_OK, EXIT_VIOLATIONS, OutcomeUnknown, UsageError
from towline.preview import Preview
from towline.receipts import PREVIEWED


@dataclass(frozen=True)
class Word:
    """What is to be done with a run that was sent before: `show`, `promote` or `discard`."""

    name: str
    run: str


@click.command("sql")
@click.argument("dataset")
@click.argument("statement", required=False)
@click.option("-f", "--file", metavar="FILE", help="Read the statement from a file; - is stdin.")
@click.option("--show", metavar="RUN", help="Show the preview of a run again.")
@click.option("--promote", metavar="RUN", help="Commit exactly what was previewed.")
@click.option("--discard", metavar="RUN", help="Drop what was previewed, or stop what is under way.")
@click.option("--base", metavar="COMMIT|NUMBER|TIME", help="Run it on this commit [default: the head when it is run].")
@mode_option
@sends_perhaps
@called
def command(
    call: Call,
    dataset: str,
    statement: str | None,
    file: str | None,
    show: str | None,
    promote: str | None,
    discard: str | None,
    base: str | None,
    mode: str | None,
    sending: Sending,
) -> int:
    """Edit a dataset by SQL: UPDATE, DELETE, INSERT, MERGE, or a SELECT that yields the whole new table.

    `master` and the dataset's own name mean the table as it is when the statement is run; the team's other tables can
    be read. --dry-run runs it and shows what it would change; nothing is committed before --promote.

    \b
    towline sql net_tows "UPDATE master SET volume_filtered = volume_filtered * 1.02 WHERE cruise = 'SR2407'" \\
        --note "calibration of 12 May" --dry-run
    """
    target = call.connection.dataset(dataset)
    words = [Word(name, run) for name, run in (("show", show), ("promote", promote), ("discard", discard)) if run]
    if len(words) + (statement is not None) + (file is not None) != 1:
        raise UsageError("give one statement, or --file, or --show, --promote or --discard with a run")
    if words:
        return _say(call, target, words[0], sending)
    sql = statement if statement not in (None, "-") and file is None else _read(file or "-")
    runs.check(target, sql or "")
    commit = None if base is None else history.resolve(target.bench, dataset, base)
    draft = target.sql(sql or "", sending.note, commit, mode, preview=sending.dry_run)
    return _preview(call, target, draft, sending) if sending.dry_run else submit(call, target, draft, sending)


def _read(file: str) -> str:
    """The statement in a file. Raises UsageError where that is no text."""
    try:
        return (_stdin() if file == "-" else Path(file).read_bytes()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 text: {error.reason} at byte {error.start}") from None


def _stdin() -> bytes:
    return sys.stdin.buffer.read()


def _preview(call: Call, dataset: Dataset, draft: Draft, sending: Sending) -> int:
    """Run an edit, and show what it would do."""
    run = draft.proposal
    try:
        receipt = await_receipt(dataset.send(draft), sending.timeout, quiet=call.as_json)
    except OutcomeUnknown as error:
        return unknown(call, dataset.name, run, error)
    except KeyboardInterrupt:
        say(f"run {run} goes on: `towline sql {dataset.name} --show {run}` shows it, --discard drops it")
        raise
    return _show(call, dataset, runs.look(dataset, run)) if receipt.status == PREVIEWED else tell(call, receipt)


def _show(call: Call, dataset: Dataset, shown: Preview) -> int:
    if call.as_json:
        emit({"dry_run": True, **shown.to_json()})
    else:
        preview.tell(shown, dataset.contract())
    return EXIT_VIOLATIONS if shown.errors else EXIT_OK


def _say(call: Call, dataset: Dataset, word: Word, sending: Sending) -> int:
    if sending.note or sending.dry_run:
        raise UsageError(f"--{word.name} takes neither --note nor --dry-run: what counts is what was previewed")
    if word.name == "show":
        return _show(call, dataset, runs.look(dataset, word.run))
    say_so = runs.promote if word.name == "promote" else runs.discard
    ticket = say_so(dataset, word.run)
    if not sending.wait:
        return _said(call, word, ticket)
    try:
        receipt = await_receipt(ticket, sending.timeout, quiet=call.as_json)
    except OutcomeUnknown as error:
        return unknown(call, dataset.name, word.run, error)
    code = tell(call, receipt)
    return EXIT_OK if word.name == "discard" else code


def _said(call: Call, word: Word, ticket: Ticket) -> int:
    if call.as_json:
        emit({"proposal": word.run, "dataset": ticket.dataset, "word": word.name})
    else:
        say(f"{word.name} was said of run {word.run}; `towline status {word.run} --wait` tells its outcome")
    return EXIT_OK
