"""`towline review`: what waits for review, what it would do now, and a steward's yes or no to exactly that."""

from __future__ import annotations

from collections.abc import Iterable

import click
from rich.table import Table
from rich.text import Text

from towline import steward
from towline.cli import tables
from towline.cli.options import Call, called, timeout_option
from towline.cli.outcome import LINES, counts, reasons, said, tell, unknown
from towline.cli.output import emit, safe, say, show, width
from towline.cli.status import find
from towline.dataset import Dataset
from towline.errors import EXIT_CONFLICT, EXIT_OK, OutcomeUnknown, UsageError
from towline.receipts import Receipt
from towline.reviews import APPROVE, REJECT, SHORT
from towline.steward import Case


@click.command("review")
@click.argument("proposal", required=False)
@click.option("--dataset", metavar="DATASET", help="Where to look [default: in every dataset].")
@click.option("--approve", "decision", flag_value=APPROVE, help="Let it be committed.")
@click.option("--reject", "decision", flag_value=REJECT, help="Turn it down.")
@click.option("--note", metavar="TEXT", help="Why; the author reads it.")
@click.option("--effect", metavar="DIGEST", help="What you looked at: the first 12 digits or more, as it was shown.")
@click.option("--wait", is_flag=True, help="Wait until the review was heard, and exit with the proposal's code.")
@timeout_option
@called
def command(
    call: Call,
    proposal: str | None,
    dataset: str | None,
    decision: str | None,
    note: str | None,
    effect: str | None,
    wait: bool,
    timeout: float,
) -> int:
    """List what waits for review; show what PROPOSAL would do now; or approve or reject exactly that.

    A review is of what was seen: where the table changed, and with it what the proposal does, that is shown instead.
    """
    if proposal is None:
        if decision or note or effect:
            raise UsageError("name the proposal; `towline review` lists those that wait")
        return _list(call, dataset)
    case_of = call.connection.dataset(find(call.connection, proposal, dataset).dataset)
    case = steward.look(case_of, proposal)
    if decision is None:
        if note or effect:
            raise UsageError("say --approve or --reject, too")
        return _show(call, case_of, case)
    if not note:
        raise UsageError("a review says why: --note TEXT")
    if not _was_seen(case, effect):
        return _show_again(call, case_of, case)
    word = steward.say(case_of, case, decision, note, case.effect)
    if not wait:
        return _written(call, case, decision)
    try:
        return tell(call, steward.outcome(case_of, proposal, word, timeout))
    except OutcomeUnknown as error:
        return unknown(call, case_of.name, proposal, error)


def _was_seen(case: Case, effect: str | None) -> bool:
    """Whether the reviewer can mean what the proposal would do now: they say so, or it is what was put up."""
    if effect is None:
        return not case.has_changed
    return len(effect) >= SHORT and case.effect.startswith(effect)


def _list(call: Call, dataset: str | None) -> int:
    connection = call.connection
    names = [dataset] if dataset else connection.datasets()
    found = [receipt for name in names for receipt in steward.waiting(connection.bench, name)]
    if call.as_json:
        emit([receipt.to_json() for receipt in found])
    elif found:
        show(_lines(found))
    else:
        say("nothing waits for review")
    return EXIT_OK


def _lines(found: Iterable[Receipt]) -> Table:
    table = tables.plain_table("proposal", "dataset", "author", "since", "why it is reviewed", "note")
    for receipt in found:
        since = str(receipt.history[0].get("at"))[:16].replace("T", " ")
        why = "; ".join(receipt.review["reasons"])
        cells = (receipt.proposal, receipt.dataset, receipt.user, since, why, receipt.note)
        table.add_row(*(Text(safe(cell)) for cell in cells))
    return table


def _show(call: Call, dataset: Dataset, case: Case) -> int:
    receipt, plan = case.receipt, case.plan
    if call.as_json:
        emit({"receipt": receipt.to_json(), **case.to_json()})
        return EXIT_OK
    show(Text("in review", style="bold yellow").append(f" {receipt.dataset}", style="not bold default"))
    show(safe(f"{receipt.user}: {receipt.note}"), safe(receipt.message))
    show(*said(receipt))
    if plan.diff:
        show(*tables.diff(plan.diff, dataset.contract(), width(), LINES))
    report = plan.report
    reasons(report.to_json()["violations"], report.errors, report.warnings, [c.to_json() for c in plan.conflicts])  # type: ignore[arg-type]
    end = f"on commit {case.number} {counts(plan)}" if plan.ok else f"it no longer fits commit {case.number}"
    show(end, f"effect {case.effect[:SHORT]}")
    return EXIT_OK


def _show_again(call: Call, dataset: Dataset, case: Case) -> int:
    """Nothing is written: the reviewer has to see what it would do by now."""
    _show(call, dataset, case)
    say(
        "error: no review was written: the table changed, and with it what this proposal does. If the above is what "
        f"you mean, say so with --effect {case.effect[:SHORT]}"
    )
    return EXIT_CONFLICT


def _written(call: Call, case: Case, decision: str) -> int:
    proposal = case.receipt.proposal
    if call.as_json:
        emit({"proposal": proposal, "dataset": case.receipt.dataset, "decision": decision, "effect": case.effect})
    else:
        done = "approved" if decision == APPROVE else "rejected"
        show(f"{done}; `towline status {proposal}` tells what becomes of it")
    return EXIT_OK
