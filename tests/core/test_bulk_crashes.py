"""Edits by SQL that die at any request, or whose steps are taken again."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.core.crashing import Crash
from tests.core.nets import NAME
from tests.core.promises import check_promises, records
from tests.core.raising import RAISE, SMALL, head, raised, volumes
from tests.runs import BUCKET, Runs
from towline import keys
from towline.bulk import checking, pinning
from towline.bulk import state as states
from towline.errors import NotFound
from towline.memory import Fault


def dies_at(at: int) -> Fault:
    """The process dies before one request to the store; that is to die after the one before it, too."""
    count = Counter[str]()

    def faults(operation: str, key: str, phase: str) -> None:
        count[phase] += 1
        if phase == "before" and count[phase] == at + 1:
            raise Crash

    return faults


def until_it_ends(act: str) -> Iterator[tuple[Runs, keys.Run]]:
    """A run that is cut at one request after the other, until none is left to be cut at, and again at one of the first
    twenty of those that take it up."""
    for at in range(200):
        runs = Runs(answer=raised)
        run = runs.sql(RAISE, preview=act != "edit")
        if act != "edit":
            runs.pump()
            said = {"effect": runs.receipt(run).run["effect"]} if act == "promote" else {}
            runs.word(run, act, **said)
        runs.store.faults = dies_at(at)
        try:
            runs.pump()
        except Crash:
            with contextlib.suppress(Crash):
                runs.recover(dies_at(7 * at % 20))
            runs.recover()
            runs.recover()
            yield runs, run
        else:
            runs.store.faults = None
            yield runs, run
            return
    raise AssertionError("a run of more than 200 requests")


def test_a_crash_at_any_request_loses_nothing_doubles_nothing_and_leaves_nothing() -> None:
    reached = 0
    for runs, run in until_it_ends("edit"):
        reached += 1
        assert runs.receipt(run).status == "committed", runs.receipt(run)
        assert volumes(runs) == [11.5, 1, None, 7.25]
        assert Counter(record["proposal"] for record in records(runs.nets))[run.id] == 1
        assert (runs.left(run), runs.athena.tables) == (SMALL, set())
        check_promises(runs.nets)
    assert reached > 40


@pytest.mark.parametrize(("word", "status"), [("promote", "committed"), ("discard", "rejected")])
def test_a_word_counts_once_whatever_it_is_cut_by(word: str, status: str) -> None:
    for runs, run in until_it_ends(word):
        assert runs.receipt(run).status == status, runs.receipt(run)
        assert (runs.left(run), runs.athena.tables) == (SMALL, set())
        check_promises(runs.nets)


def test_a_later_execution_writes_where_none_wrote_before() -> None:
    runs = Runs(answer=raised)
    run = runs.sql(RAISE)
    runs.store.faults = lambda operation, key, phase: _crash() if key == run.result and phase == "before" else None
    with contextlib.suppress(Crash):
        runs.pump()
    runs.store.faults = None
    first = states.need(runs.store, run)
    runs.recover()
    again = states.need(runs.store, run)
    assert (first.attempt, again.attempt) == (1, 2)
    assert {first.prefix, first.token, first.next_table}.isdisjoint({again.prefix, again.token, again.next_table})
    assert (again.base, again.version, again.base_table) == (first.base, first.version, first.base_table)
    assert runs.receipt(run).status == "committed"


def _crash() -> None:
    raise Crash


def test_every_step_may_be_taken_again() -> None:
    """By the same execution, as Step Functions does when an answer is lost."""
    runs = Runs(answer=raised)
    runs.held = True
    run = runs.sql(RAISE)
    runs.pump()
    before = (runs.receipt(run), runs.left(run), states.need(runs.store, run))
    plan = pinning.pin(runs.bench, run, "execution-1", BUCKET)
    assert plan == pinning.pin(runs.bench, run, "execution-1", BUCKET) == {"decision": pinning.CHECK}
    assert checking.check(runs.bench, run, {}) == checking.check(runs.bench, run, {}) == {"decision": checking.PROMOTE}
    assert (runs.receipt(run), runs.left(run), states.need(runs.store, run)) == before
    runs.clean(run)  # not before it is final
    assert runs.left(run) == before[1]
    runs.held = False
    runs.hand_over(run)  # twice in the queue
    assert runs.receipt(run).status == "committed"
    for _ in range(2):
        runs.take_up(run)
        assert runs.left(run) == SMALL
    assert checking.check(runs.bench, run, {}) == {"decision": checking.CLEAN}
    assert head(runs).number == 2


def test_a_run_that_nobody_sent_is_not_run() -> None:
    runs = Runs()
    stray = keys.Run(NAME, "01K0000000000000000000000A")
    with pytest.raises(NotFound, match=stray.id):
        runs.take_up(stray)
    assert checking.check(runs.bench, stray, {}) == {"decision": checking.CLEAN}
    runs.clean(stray)
