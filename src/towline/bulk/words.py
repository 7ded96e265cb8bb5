"""Words on a run, and who waits for them: an author's on a preview, and the outcome for the state machine.

An execution of the state machine that waits leaves its task token beside the run; whoever knows more answers it. A
token of an execution that is gone answers nothing: then the run is taken up anew, and how things stand is found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from towline import inbox, keys, quarantine, receipts
from towline.errors import BadProposal, Contended, NotFound
from towline.inbox import Arrival
from towline.receipts import PREVIEWED, Receipt
from towline.runs import DISCARD, PROMOTE, WORD
from towline.sent import read_object
from towline.store import TooLarge
from towline.workbench import Workbench

PROMOTED = "promoted"
_ENDINGS = {f".{PROMOTE}.json": PROMOTE, f".{DISCARD}.json": DISCARD}
_FIELDS = {"format", "dataset", "proposal", "effect"}
_REMARKS = {"author", "created", "client"}
_MAX = 16 * 2**10  # bytes


@dataclass(frozen=True)
class Heard:
    """A word that counts: the receipt after it, and what was said."""

    receipt: Receipt
    word: str


def word_of(key: str) -> str | None:
    """What an object of the inbox says of a run: promote or discard; None: it is no word."""
    return next((word for ending, word in _ENDINGS.items() if key.endswith(ending)), None)


def hear(bench: Workbench, arrival: Arrival) -> Heard | None:
    """Act on a word: a preview that is promoted is accepted, once; a run that is discarded is over. None: the word
    counts for nothing, and is kept in the quarantine with the reason."""
    word, blank = word_of(arrival.key), inbox.fresh(arrival)
    receipt = receipts.load(bench.store, blank.dataset, blank.proposal)
    try:
        said = _read(bench, arrival)
        known = _counts(receipt, blank, str(word), said)
    except (BadProposal, NotFound, TooLarge) as error:
        _refuse(bench, arrival, blank, str(error))
        return None
    if known.run.get(PROMOTED) or known.final:
        return Heard(known, str(word))  # the event came twice; the machine may not have been told
    written = receipts.swap(bench.store, _moved(bench, known, str(word)))
    if written is None:
        raise Contended(f"{known.key} was changed meanwhile: deliver the event again")
    if written.final:
        bench.notify(written)
    return Heard(written, str(word))


def is_unheard(bench: Workbench, arrival: Arrival, receipt: Receipt) -> bool:
    """Whether a word that lies in the inbox was neither acted on nor refused: its event was lost."""
    word = word_of(arrival.key)
    if not (receipt.status == PREVIEWED or (word == DISCARD and receipt.status == "accepted")):
        return False
    return receipts.load(bench.store, receipt.dataset, _beside(receipt, str(word))) is None


def _moved(bench: Workbench, receipt: Receipt, word: str) -> Receipt:
    if word == PROMOTE:
        return replace(receipt, run={**receipt.run, PROMOTED: True}).moved("accepted", bench.clock())
    about = {**receipt.run, "discarded": True}
    return replace(receipt, run=about).moved("rejected", bench.clock(), message="discarded by its author")


def _read(bench: Workbench, arrival: Arrival) -> Mapping[str, Any]:
    body = bench.store.get(arrival.key, version=arrival.version, max_bytes=_MAX).body
    return read_object(body, WORD, _FIELDS, _REMARKS)


def _counts(receipt: Receipt | None, blank: Receipt, word: str, said: Mapping[str, Any]) -> Receipt:
    """The receipt that a word is about. BadProposal: it counts for nothing."""
    name = f"run {blank.proposal} of {blank.dataset}"
    if receipt is None or receipt.kind != "sql":
        raise BadProposal(f"nobody knows a {name}")
    if receipt.principal != blank.principal:
        raise BadProposal(f"{name} is {receipt.user}'s, and theirs to {word}")
    if (said.get("dataset"), said.get("proposal")) != (receipt.dataset, receipt.proposal):
        raise BadProposal(f"the word is on {said.get('proposal')} of {said.get('dataset')}, and lies beside {name}")
    if word == PROMOTE and said.get("effect") != receipt.run.get("effect"):
        raise BadProposal(f"{name} would do something else than what was looked at: look again")
    is_again = receipt.run.get(PROMOTED) if word == PROMOTE else receipt.run.get("discarded")
    waits = receipt.status == PREVIEWED or (word == DISCARD and receipt.status in ("received", "accepted"))
    if not waits and not is_again:
        raise BadProposal(f"{name} does not wait for a word: it is {receipt.status}")
    if word == DISCARD and receipt.run.get(PROMOTED):
        raise BadProposal(f"{name} was promoted already")
    return receipt


def _refuse(bench: Workbench, arrival: Arrival, blank: Receipt, why: str) -> None:
    """Keep a word that counts for nothing, and tell who said it: by a receipt of its own, whose id is the run's and the
    word. Twice does no harm."""
    beside = replace(blank, proposal=_beside(blank, str(word_of(arrival.key))), kind="word")
    kept = quarantine.keep(bench, beside.moved("rejected", bench.clock(), message=why))
    written = receipts.swap(bench.store, kept)
    if written is not None:
        bench.notify(written)


def _beside(receipt: Receipt, word: str) -> str:
    """The id of the receipt that tells of a refused word."""
    return f"{receipt.proposal}.{word}"


def leave_token(bench: Workbench, run: keys.Run, token: str) -> None:
    """Leave the task token of an execution that waits; that of an earlier one answers nothing any more."""
    bench.store.put(run.token, json.dumps({"token": token}).encode(), content_type="application/json")


def token(bench: Workbench, run: keys.Run) -> str | None:
    """The task token that waits for an answer; None where none was left."""
    try:
        return str(json.loads(bench.store.get(run.token).body)["token"])
    except NotFound:
        return None
