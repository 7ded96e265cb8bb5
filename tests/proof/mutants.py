"""The protocol broken on purpose: one rule left out of the real code at a time. Each must break a promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from towline import commit, finish, keys, landing, lineage, receipts
from towline import intent as intents
from towline import table as tables
from towline.errors import PreconditionFailed
from towline.landing import Ground
from towline.master import Head
from towline.receipts import Receipt
from towline.store import ABSENT, ALWAYS
from towline.workbench import Workbench

from .cases import Case, moved_back, overwritten, pair, single, there_and_back
from .world import world


@dataclass(frozen=True)
class Mutant:
    """`changes` are (module, name, replacement); `case` is one in which the rule is needed, and `found` a part of what
    is found there without it."""

    name: str
    changes: Sequence[tuple[Any, str, Any]]
    case: Callable[[], Case]
    found: str

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with ExitStack() as stack:
            for owner, name, replacement in self.changes:
                stack.enter_context(patch.object(owner, name, replacement))
            yield


# -- step 5 left out: nobody claims a receipt --------------------------------------------------------------------------


def _claim_nothing(store: Any, receipt: Receipt) -> Receipt | None:
    """`receipts.swap` as landing.py uses it, which takes every claim for won and writes nothing."""
    return receipt


# -- step 3: denials that do not ask whether the commit that claimed the proposal may still land -----------------------


def _deny_at_once(receipt: Receipt, ground: Ground) -> bool:
    """Nobody claimed it."""
    return False


def _deny_from_a_stale_head(receipt: Receipt, ground: Ground) -> bool:
    """`==` where the protocol says `>=`."""
    return receipt.status == "committing" and receipt.base_number == ground.number


# -- step 7: what looks like a lost race, believed ---------------------------------------------------------------------

_put_master = landing._put_master


def _clear_up(bench: Workbench, commit_id: str, dataset: str) -> None:
    bench.store.delete(keys.intent(dataset, commit_id))


def _drop_the_intent(bench: Workbench, intent: Any, *rest: Any) -> str | None:
    """A lost race, seen in the head, and the intent that nobody will finish thrown away."""
    version = _put_master(bench, intent, *rest)
    if version is None:
        _clear_up(bench, intent.commit, intent.dataset)
    return version


class _Lost(Exception):
    """A 412 to the put of the master."""


def _trust_412(bench: Workbench, intent: Any, *rest: Any) -> str | None:
    """A 412 is a lost race, and nobody looks at the head."""
    put = bench.store.put

    def believing(*arguments: Any, **options: Any) -> Any:
        try:
            return put(*arguments, **options)
        except PreconditionFailed as error:
            raise _Lost from error

    try:
        with patch.object(bench.store, "put", believing):
            return _put_master(bench, intent, *rest)
    except _Lost:
        _clear_up(bench, intent.commit, intent.dataset)
        return None


# -- the others --------------------------------------------------------------------------------------------------------


def _do_not_finish(bench: Workbench, head: Head) -> str | None:
    """Step 1 that only asks what the last record of the head's commit will say."""
    if head.commit is None or not lineage.stands(bench, head):
        return None
    last = receipts.load(bench.store, head.dataset, head.proposal)
    if last and last.status == "committed" and last.commit == head.commit and last.chain:
        return last.chain
    intent = intents.load(bench.store, head.dataset, head.commit)
    assert intent is not None
    return str(intent.records(head.version)[-1]["chain"])


def _always(etag: str) -> Any:
    return ALWAYS


_to_parquet = tables.to_parquet


def _nameless(table: Any, key: Any, *, commit: str, number: int) -> bytes:
    return _to_parquet(table, key, commit="", number=0)


def _take_409_for_412(bench: Workbench, key: str, body: bytes) -> None:
    try:
        bench.store.put(key, body, when=ABSENT)
    except PreconditionFailed:  # and Contended is one
        return


def forgiving(case: Callable[[], Case], **changes: Any) -> Callable[[], Case]:
    """A case, explored without what the mutant makes untrue."""
    return lambda: case().but(**changes)


def nameless_past() -> Case:
    """`there_and_back`, with a past that the mutant wrote, too."""
    return there_and_back(world(anew=True)).but(etags_recur=True)


TOO_LATE = "its receipt says conflicted"  # of a proposal that is in a commit
FORKED = "audit records are one chain"
GONE = "is not finished and its intent"

MUTANTS = (
    Mutant("no claim", [(landing, "receipts", SimpleNamespace(swap=_claim_nothing))], moved_back, TOO_LATE),
    Mutant("deny at once", [(commit, "_is_claimed", _deny_at_once)], moved_back, TOO_LATE),
    Mutant("deny from a stale head", [(commit, "_is_claimed", _deny_from_a_stale_head)], moved_back, TOO_LATE),
    Mutant(
        "drop the intent after a lost race",
        [(landing, "_put_master", _drop_the_intent)],
        forgiving(overwritten, deletes=True),
        GONE,
    ),
    Mutant("trust 412", [(landing, "_put_master", _trust_412)], forgiving(single, deletes=True), GONE),
    Mutant(
        "PUT without If-Match",
        [(landing, "Matches", _always)],
        forgiving(pair, faults=0, etags_recur=True),
        "no commit of Towline's is taken for somebody else's",
    ),
    Mutant("no finish of the previous", [(commit, "finish_head", _do_not_finish)], single, FORKED),
    Mutant("no commit id in the file", [(tables, "to_parquet", _nameless)], nameless_past, FORKED),
    Mutant("409 taken for 412", [(finish, "_put_once", _take_409_for_412)], single, "P is committed, and has 0"),
)
