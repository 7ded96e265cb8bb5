"""Sending a proposal and telling its outcome: the common end of create, propose, edit, insert, delete and status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table
from rich.text import Text

from towline import reviews
from towline.cli import tables
from towline.cli.conflicts import row
from towline.cli.conflicts import table as shown_conflicts
from towline.cli.options import Call, Sending
from towline.cli.output import emit, progress, safe, say, show, width
from towline.dataset import Dataset, Draft, Ticket
from towline.errors import (
    EXIT_CONFLICT,
    EXIT_OK,
    EXIT_UNAVAILABLE,
    EXIT_VIOLATIONS,
    OutcomeUnknown,
)
from towline.plan import Plan
from towline.receipts import IN_REVIEW, PREVIEWED, Receipt

CODES = {"rejected": EXIT_VIOLATIONS, "conflicted": EXIT_CONFLICT, "failed": EXIT_UNAVAILABLE}
LINES = 50  # lines of a diff and conflicts that are shown to people
_COLOURS = {"committed": "green", "rejected": "red", "conflicted": "red", "failed": "red"}


@dataclass(frozen=True)
class Sent:
    """What a command knows of its proposal beyond the receipt: `facts` join the JSON, `notes` are for people."""

    facts: Mapping[str, object] = field(default_factory=dict)
    notes: Sequence[str] = ()


def submit(call: Call, dataset: Dataset, draft: Draft, sending: Sending, sent: Sent | None = None) -> int:
    """Preview a draft, or send it and tell what became of it. Returns the exit code."""
    sent = sent or Sent()
    if sending.dry_run:
        return forecast(call, dataset, dataset.preview(draft), sent)
    try:
        ticket = dataset.send(draft)
        if sending.wait:
            return tell(call, await_receipt(ticket, sending.timeout, quiet=call.as_json), sent)
    except OutcomeUnknown as error:
        return unknown(call, dataset.name, draft.proposal, error)
    except KeyboardInterrupt:
        say(f"proposal {draft.proposal}: `towline status {draft.proposal}` tells whether it arrived, and its outcome")
        raise
    return tell(call, _received(dataset, draft, sending), sent)


def _received(dataset: Dataset, draft: Draft, sending: Sending) -> Receipt:
    """Stands in for the receipt that nobody has written yet."""
    message = f"it is in the inbox; `towline status {draft.proposal}` tells its outcome"
    return Receipt(draft.proposal, dataset.name, "received", dataset.principal, note=sending.note, message=message)


def await_receipt(ticket: Ticket, timeout: float, *, quiet: bool = False) -> Receipt:
    """Wait for the receipt that tells what became of it, with the statuses on the way on a terminal's stderr."""
    with progress(f"{ticket.proposal}: received", quiet=quiet) as phase:
        return ticket.wait(timeout, lambda receipt: phase(f"{ticket.proposal}: {receipt.status}"))


def unknown(call: Call, dataset: str, proposal: str, error: OutcomeUnknown) -> int:
    """Say that the outcome is not known, with the id under which it can be asked for."""
    say(f"error: {error}")
    if f"towline status {proposal}" not in str(error):
        say(f"`towline status {proposal} --dataset {dataset}` tells whether it arrived")
    if call.as_json:
        emit({"error": error.kind, "message": str(error), "dataset": dataset, "proposal": proposal})
    return error.exit_code


def tell(call: Call, receipt: Receipt, sent: Sent | None = None) -> int:
    """Print a receipt; return the exit code that it means."""
    sent = sent or Sent()
    if call.as_json:
        emit({**receipt.to_json(), **sent.facts})
        return CODES.get(receipt.status, EXIT_OK)
    show(*_receipt(receipt), *(safe(note) for note in sent.notes))
    reasons(receipt.violations, receipt.errors, receipt.warnings, receipt.conflicts)
    if receipt.status == "conflicted":
        say(f"the table is as it was: `towline resolve {receipt.proposal}` lists what to decide, and sends it again")
    if receipt.quarantine:
        say(f"what was sent is kept, whole: {receipt.quarantine}")
    return CODES.get(receipt.status, EXIT_OK)


def _receipt(receipt: Receipt) -> Iterator[Text]:
    head = Text(receipt.status.replace("_", " "), style=f"bold {_COLOURS.get(receipt.status, 'yellow')}")
    where = f" {receipt.dataset}"
    if receipt.status == "committed":
        where += f" #{receipt.number}  commit {receipt.commit}"
    yield head.append(where, style="not bold default")
    if receipt.resolves:
        yield Text(f"it resolves proposal {receipt.resolves}", style="dim")
    if receipt.status in CODES and not receipt.violations and not receipt.conflicts:
        yield Text(safe(receipt.message))
    if receipt.status == PREVIEWED:
        yield Text(f"`towline sql {receipt.dataset} --show {receipt.proposal}` shows what it would do", style="dim")
    if receipt.status == IN_REVIEW:
        yield Text(safe(receipt.message))
        yield from said(receipt)
    if not receipt.final:
        yield Text(f"proposal {receipt.proposal}")
    if not receipt.rests:
        yield Text(f"`towline status {receipt.proposal}` tells its outcome; --wait waits for it", style="dim")


def said(receipt: Receipt) -> Iterator[Text]:
    """What stewards said of a proposal, a line each; why, where it does not count."""
    for word in reviews.words(receipt.review):
        what = f"does not count: {word.ignored}" if word.ignored else f"{word.decision}: {word.note}"
        yield Text(safe(f"review of {word.user}, {what}"), style="dim" if word.ignored else "")


def reasons(
    violations: Sequence[Mapping[str, Any]], errors: int, warnings: int, conflicts: Sequence[Mapping[str, Any]]
) -> None:
    """Show why a proposal cannot be committed, or what is to be said of it all the same."""
    if conflicts:
        show(shown_conflicts(conflicts[:LINES]))
        _rest(len(conflicts) - LINES, "conflicts")
    if violations:
        totals = f"{errors:,} error{'s' * (errors != 1)}, {warnings:,} warning{'s' * (warnings != 1)}"
        show(_violations(violations), totals)
        _rest(errors + warnings - len(violations), "violations, which are not listed")


def _rest(count: int, what: str) -> None:
    if count > 0:
        show(Text(f"… and {count:,} more {what}", style="dim"))


def _violations(violations: Sequence[Mapping[str, Any]]) -> Table:
    table = tables.plain_table("severity", "row", "what is wrong")
    for one in violations:
        colour = "red" if one["severity"] == "error" else "yellow"
        what = Text(safe(str(one["message"]))).append(f"  {one['rule']}", style="dim")
        table.add_row(Text(str(one["severity"]), style=colour), row(one["key"]), what)
    return table


def forecast(call: Call, dataset: Dataset, plan: Plan, sent: Sent) -> int:
    """Tell what a draft would do to the head as it is now. Returns the exit code that it would have."""
    status = "conflicted" if plan.conflicts else "committed" if plan.ok else "rejected"
    if call.as_json:
        emit({"dry_run": True, "dataset": dataset.name, "status": status, **_plan_json(plan), **sent.facts})
        return CODES.get(status, EXIT_OK)
    head = Text("dry run: would be ").append(status, style=f"bold {_COLOURS[status]}")
    show(head.append(f"; {counts(plan)}") if plan.ok else head, *(safe(note) for note in sent.notes))
    if plan.diff:
        show(*tables.diff(plan.diff, dataset.contract(), width(), LINES))
    report = plan.report.to_json()
    reasons(report["violations"], plan.report.errors, plan.report.warnings, [c.to_json() for c in plan.conflicts])  # type: ignore[arg-type]
    return CODES.get(status, EXIT_OK)


def _plan_json(plan: Plan) -> dict[str, object]:
    conflicts = [conflict.to_json() for conflict in plan.conflicts]
    return {"counts": plan.counts(), "diff": plan.diff.to_json(), "conflicts": conflicts, **plan.report.to_json()}


def counts(plan: Plan) -> str:
    """How many rows and cells a proposal changes, in a line."""
    found = plan.counts()
    rows = ", ".join(f"{found[f'rows_{word}']:,} {word}" for word in ("inserted", "updated", "deleted"))
    return f"rows: {rows}; cells changed: {found['cells_changed']:,}"
