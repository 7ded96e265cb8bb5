"""`towline resolve`: decide the conflicts of a proposal, and send it again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.text import Text

from towline import dispute, edits, resolution_file
from towline.answer import SIDES, Answer, Decision, InsertAs, Put, Side, Take
from towline.cli import conflicts
from towline.cli.options import Call, Sending, called, sends_again, where_option
from towline.cli.outcome import LINES, Sent, forecast, submit
from towline.cli.output import emit, say, show
from towline.cli.status import find
from towline.conflict import Conflict
from towline.contract import Contract
from towline.dispute import Dispute
from towline.errors import EXIT_CONFLICT, EXIT_OK, OpenConflicts, UsageError
from towline.values import Value


@click.command("resolve")
@click.argument("proposal")
@click.option("--dataset", metavar="DATASET", help="Where to look [default: in every dataset].")
@click.option("--take", type=click.Choice(SIDES), help="The side to take: what it was, yours (ours), or theirs.")
@click.option("--column", "columns", multiple=True, metavar="COLUMN", help="Only in this column; can be repeated.")
@where_option
@click.option("--set", "values", multiple=True, metavar="COLUMN=VALUE,…", help="A third value, where COLUMN conflicts.")
@click.option(
    "--insert-as",
    multiple=True,
    metavar="COLUMN=VALUE,…",
    help="Where two people inserted one key: keep theirs, and insert yours under this key. Name the row with --where.",
)
@click.option(
    "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Answers one by one, from --json."
)
@sends_again
@called
def command(
    call: Call,
    proposal: str,
    dataset: str | None,
    take: Side | None,
    columns: tuple[str, ...],
    where: tuple[str, ...],
    values: tuple[str, ...],
    insert_as: tuple[str, ...],
    file: Path | None,
    sending: Sending,
) -> int:
    """Decide the conflicts of a proposal, and send it again. Without a decision: list them, side by side.

    \b
    towline resolve 01M7YNM57P9FCZPZBAAE7WV4DM --take ours --column volume_filtered --wait
    """
    found = dispute.of(call.connection.bench, find(call.connection, proposal, dataset))
    contract = found.contract
    decisions = [*_taken(contract, take, columns), *_put(contract, values), *_inserted(contract, insert_as)]
    if (columns or where) and not decisions:
        raise UsageError("say what to do there: --take, --set or --insert-as")
    rows = edits.read(contract, edits.parse(where, "--where"))
    given = [Answer(decision, rows, column, place=place) for decision, column, place in decisions]
    if not given and file is None:
        return _list(call, found)
    one_by_one = resolution_file.from_json(file.read_bytes(), contract, proposal) if file else []
    return _send(call, found, [*one_by_one, *given], sending)


_Given = tuple[Decision, str, str]  # the decision, its column (empty: the whole row), and the option that said so


def _taken(contract: Contract, side: Side | None, columns: Sequence[str]) -> list[_Given]:
    if side is None:
        return []
    names = [contract.field(column).name for column in columns]
    return [(Take(side), column, f"--take {side}") for column in names or [""]]


def _put(contract: Contract, values: Sequence[str]) -> list[_Given]:
    found: dict[str, Value] = edits.read(contract, edits.parse(values, "--set"))
    return [(Put(value), column, "--set") for column, value in found.items()]


def _inserted(contract: Contract, insert_as: Sequence[str]) -> list[_Given]:
    key = edits.read(contract, edits.parse(insert_as, "--insert-as"))
    return [(InsertAs(key), "", "--insert-as")] if key else []


def _list(call: Call, found: Dispute) -> int:
    """What is to be decided; as JSON in the form that --file takes."""
    if call.as_json:
        emit(_to_answer(found, found.conflicts))
    elif found.conflicts:
        show(Text(f"{found.receipt.dataset}: {_count(found)} on top of commit {found.number}", style="bold"))
        _show(found.conflicts)
        say("decide with --take base|ours|theirs, --set COLUMN=VALUE or --file; --column and --where say for which")
        if any(conflict.kind == "insert/insert" for conflict in found.conflicts):
            say("keep both rows of a key with --insert-as COLUMN=VALUE, which inserts yours under another one")
    else:
        show("nothing is in conflict any more; --take ours sends it again")
    return EXIT_CONFLICT if found.conflicts else EXIT_OK


def _count(found: Dispute) -> str:
    count = len(found.conflicts)
    return f"{count:,} row{'s' * (count != 1)} to decide"


def _show(open: Sequence[Conflict]) -> None:
    show(conflicts.table(conflict.to_json() for conflict in open[:LINES]))
    if len(open) > LINES:
        show(Text(f"… and {len(open) - LINES:,} more; --json lists them all", style="dim"))


def _to_answer(found: Dispute, open: Sequence[Conflict]) -> dict[str, object]:
    return resolution_file.to_json(found.receipt.proposal, found.receipt.dataset, open)


def _send(call: Call, found: Dispute, resolution: Sequence[Answer], sending: Sending) -> int:
    try:
        changes = found.settle(resolution)
    except OpenConflicts as error:
        return _open(call, found, resolution, error)
    facts = {"resolves": found.receipt.proposal}
    if not changes:
        message = f"nothing is left to change: commit {found.number} holds all of it, so nothing was sent"
        if call.as_json:
            emit({"status": "unchanged", "dataset": found.receipt.dataset, "message": message, **facts})
        else:
            show(message)
        return EXIT_OK
    dataset = call.connection.dataset(found.receipt.dataset)
    plan = found.preview(changes)
    if sending.dry_run or not plan.ok:
        if not plan.ok:
            say("nothing was sent: what was decided cannot be committed")
        return forecast(call, dataset, plan, Sent(facts))
    return submit(call, dataset, found.draft(dataset, changes, sending.note), sending, Sent(facts))


def _open(call: Call, found: Dispute, resolution: Sequence[Answer], error: OpenConflicts) -> int:
    """Not all is decided: what is left."""
    left = found.decide(resolution).open
    if call.as_json:
        emit({"error": error.kind, "message": str(error), "open": _to_answer(found, left)})
    else:
        _show(left)
    say(f"error: {error}")
    return error.exit_code
