"""What authors say of their previews: once, and of what they looked at."""

from __future__ import annotations

import pytest

from tests.core.nets import NAME
from tests.core.raising import RAISE, SMALL, head, previewed, raised, refused_word
from tests.runs import Runs
from towline import keys, receipts
from towline.reconcile import reconcile


@pytest.mark.parametrize("word", ["promote", "discard"])
def test_only_its_author_has_a_word(word: str) -> None:
    runs = Runs()
    run = previewed(runs)
    runs.word(run, word, "ben", effect=runs.receipt(run).run["effect"])
    assert "ana's" in refused_word(runs, run, word)
    assert runs.receipt(run).status == receipts.PREVIEWED


def test_a_word_is_on_what_was_looked_at() -> None:
    runs = Runs()
    run = previewed(runs)
    runs.word(run, "promote", effect="0" * 64)
    assert "look again" in refused_word(runs, run, "promote")
    assert runs.receipt(run).status == receipts.PREVIEWED
    runs.promote(run)
    assert runs.receipt(run).status == "committed"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"yes", "not valid JSON"),
        (b"[]", "a list"),
        (b'{"format": "towline.word/v2"}', "towline.word/v1"),
        (b'{"format": "towline.word/v1", "dataset": "others", "proposal": "x"}', "beside run"),
        (b" " * 20_000, "bytes"),
    ],
)
def test_a_word_that_cannot_be_read_counts_for_nothing(body: bytes, said: str) -> None:
    runs = Runs()
    run = previewed(runs)
    runs.store.put(keys.inbox(NAME, "ana", f"{run.id}.discard.json"), body)
    assert said in refused_word(runs, run, "discard")
    assert runs.receipt(run).status == receipts.PREVIEWED


def test_a_word_on_what_is_no_run_counts_for_nothing() -> None:
    runs = Runs()
    (edit,) = runs.nets.send(runs.nets.edit(1, 1, volume=3.0))
    for proposal in (edit.proposal, "01K0000000000000000000000A"):
        run = keys.Run(NAME, proposal)
        runs.word(run, "discard")
        assert "nobody knows" in refused_word(runs, run, "discard")


@pytest.mark.parametrize(("first", "then"), [("promote", "discard"), ("discard", "promote")])
def test_the_first_word_counts(first: str, then: str) -> None:
    runs = Runs()
    run = previewed(runs)
    effect = runs.receipt(run).run["effect"]
    runs.held = True
    runs.word(run, first, effect=effect)
    runs.pump()
    runs.word(run, then, effect=effect)
    assert "was promoted already" in (why := refused_word(runs, run, then)) or "does not wait" in why
    runs.held = False
    runs.work()
    assert runs.receipt(run).status == {"promote": "committed", "discard": "rejected"}[first]
    assert runs.left(run) == SMALL


@pytest.mark.parametrize("word", ["promote", "discard"])
def test_a_word_that_is_delivered_twice_counts_once(word: str) -> None:
    runs = Runs()
    run = previewed(runs)
    effect = runs.receipt(run).run["effect"]
    runs.word(run, word, effect=effect)
    (arrival,) = runs.nets.pipeline.arrivals()
    runs.deliver(arrival)
    final = runs.receipt(run)
    runs.deliver(arrival)
    assert (runs.receipt(run), runs.left(run)) == (final, SMALL)
    assert receipts.load(runs.store, NAME, f"{run.id}.{word}") is None


@pytest.mark.parametrize("word", ["promote", "discard"])
def test_a_word_whose_event_was_lost_is_found(word: str) -> None:
    runs = Runs()
    run = previewed(runs)
    runs.word(run, word, effect=runs.receipt(run).run["effect"])
    runs.recover()
    assert runs.receipt(run).final
    runs.recover()
    assert runs.left(run) == SMALL


def test_a_word_that_was_refused_is_not_delivered_for_ever() -> None:
    runs = Runs()
    run = previewed(runs)
    runs.word(run, "promote", effect="0" * 64)
    refused_word(runs, run, "promote")
    assert reconcile(runs.bench).unseen == ()


def test_a_discarded_run_that_is_under_way_ends_there() -> None:
    runs = Runs(answer=raised)
    runs.held = True
    run = runs.sql(RAISE)
    runs.pump()
    runs.discard(run)
    runs.held = False
    runs.work()
    assert (runs.receipt(run).message, head(runs).number) == ("discarded by its author", 1)
    runs.take_up(run)
    assert runs.left(run) == SMALL
