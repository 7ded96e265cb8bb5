"""SQL edits as a person meets them: checked, sent, looked at, and promoted or dropped (docs/sql.md).

A run is one SQL edit on its way; its id is its proposal's. A word on a run is an object beside the edit in the inbox,
`<run>.promote.json` or `<run>.discard.json`:

    {"format": "towline.word/v1", "dataset": "net_tows", "proposal": "<run>", "effect": "<what was previewed>"}
"""

from __future__ import annotations

import json

from towline import __version__, keys, preview, proposals, statements
from towline.dataset import Dataset, Ticket
from towline.errors import NotFound, PreconditionFailed, Refused, UsageError
from towline.preview import Preview
from towline.receipts import PREVIEWED, Receipt
from towline.store import ABSENT

WORD = "towline.word/v1"
PROMOTE, DISCARD = WORDS = ("promote", "discard")


def check(dataset: Dataset, statement: str) -> str:
    """The verb of an edit that can be sent. Raises SqlRefused, with the place, for what would not be run, and
    BadProposal for what no proposal carries."""
    proposals.check_statement(statement)
    return statements.compiled(dataset.bench, dataset.contract(), statement).verb


def look(dataset: Dataset, run: str) -> Preview:
    """What a run would do. NotFound: there is no such run. UsageError: it has no preview, yet or any more."""
    receipt = dataset.status(run)
    try:
        return preview.from_json(dataset.bench.store.get(keys.Run(dataset.name, run).preview).body)
    except NotFound as error:
        raise _nothing_to_see(receipt) from error


def promote(dataset: Dataset, run: str, effect: str | None = None) -> Ticket:
    """Have exactly what was previewed committed. `effect` is what was looked at; by default what the receipt says.

    NotFound: there is no such run. UsageError: it does not wait for a word, or would do something else than that.
    Refused: somebody else's, or a word on it was sent before.
    """
    receipt = dataset.status(run)
    if receipt.status != PREVIEWED:
        raise _nothing_to_see(receipt)
    previewed = str(receipt.run["effect"])
    if effect is not None and effect != previewed:
        raise UsageError(f"run {run} was looked at with the effect {effect[:12]}, and has {previewed[:12]}: look again")
    return _say(dataset, receipt, PROMOTE, effect=previewed)


def discard(dataset: Dataset, run: str) -> Ticket:
    """Drop a run that waits for a word, or stop one that is under way. Raises as `promote` does."""
    receipt = dataset.status(run)
    if receipt.kind != "sql" or receipt.final:
        raise _nothing_to_see(receipt)
    return _say(dataset, receipt, DISCARD)


def _say(dataset: Dataset, receipt: Receipt, word: str, **more: str) -> Ticket:
    run = receipt.proposal
    if receipt.principal != dataset.principal:
        raise Refused(f"run {run} is {receipt.user}'s, and theirs to {word}")
    about = {"format": WORD, "dataset": dataset.name, "proposal": run, **more, "client": f"towline {__version__}"}
    key = keys.inbox(dataset.name, dataset.principal, f"{run}.{word}.json")
    try:
        dataset.bench.store.put(key, json.dumps(about).encode(), when=ABSENT)
    except PreconditionFailed as error:
        raise Refused(f"{word} was said of run {run} before; `towline status {run}` tells what came of it") from error
    return Ticket(dataset.bench, dataset.name, run, beyond=PREVIEWED)


def _nothing_to_see(receipt: Receipt) -> UsageError:
    what = f"run {receipt.proposal} of {receipt.dataset}"
    if receipt.kind != "sql":
        return UsageError(f"{receipt.proposal} is no SQL edit: it is a proposal of kind {receipt.kind}")
    if receipt.status in ("received", "accepted"):
        return UsageError(f"{what} is under way still; `towline status {receipt.proposal} --wait` waits for it")
    return UsageError(f"{what} does not wait for a word: it is {receipt.status.replace('_', ' ')}. {receipt.message}")
