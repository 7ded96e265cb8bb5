"""Edits by SQL from the inbox to the commit, step by step, and what others do meanwhile."""

from __future__ import annotations

import json

import pytest

from tests.core.nets import NAME
from tests.core.promises import check_promises, records
from tests.core.raising import RAISE, SMALL, head, raised, volumes
from tests.core.reviewed import Reviewed
from tests.runs import Runs
from towline import keys, receipts
from towline.bulk import state as states
from towline.bulk import words
from towline.errors import Contended, Corrupt, NotFound


def test_an_edit_is_committed_with_its_query_and_leaves_only_its_documents() -> None:
    runs = Runs()
    run = runs.sql(RAISE, note="recalibrated")
    runs.pump()
    receipt = runs.receipt(run)
    assert (receipt.status, receipt.number, receipt.user, receipt.note) == ("committed", 2, "ana", "recalibrated")
    assert [step["status"] for step in receipt.history] == ["accepted", "committing", "committed"]
    assert receipt.run["counts"] == {"rows_inserted": 0, "rows_updated": 2, "rows_deleted": 0, "cells_changed": 2}
    assert (receipt.run["scanned_bytes"], receipt.run["query_id"]) == (1_234, "q-1")
    assert volumes(runs) == [11.5, 1, None, 7.25]
    record = records(runs.nets)[-1]
    assert (record["kind"], record["query"], record["cells_changed"]) == ("sql", RAISE, 2)
    assert runs.left(run) == SMALL
    assert (runs.athena.tables, runs.waiting) == (set(), {})
    check_promises(runs.nets)


def test_the_preview_is_what_is_promoted() -> None:
    runs = Runs()
    run = runs.sql(RAISE, preview=True)
    runs.pump()
    receipt = runs.receipt(run)
    assert receipt.status == receipts.PREVIEWED
    assert head(runs).number == 1
    shown = json.loads(runs.store.get(run.preview).body)
    assert (shown["effect"], shown["cells_changed"]) == (receipt.run["effect"], 2)
    runs.promote(run)
    assert runs.receipt(run).status == "committed"
    steps = [step["status"] for step in runs.receipt(run).history]
    assert steps == ["accepted", "previewed", "accepted", "committing", "committed"]
    assert runs.left(run) == SMALL


# --------------------------------------------------------------------------------------- what happens in the meantime


def meanwhile(runs: Runs, tow: int, net: int) -> keys.Run:
    """An edit of tow 1, and a proposal on one net that was committed while its query ran."""
    runs.held = True
    run = runs.sql(RAISE)
    runs.pump()
    runs.nets.by("ben").send(runs.nets.by("ben").edit(tow, net, volume=5.0))
    runs.held = False
    runs.work()
    return run


def test_cells_that_others_changed_meanwhile_stay() -> None:
    runs = Runs(answer=raised)
    run = meanwhile(runs, 2, 1)
    assert (runs.receipt(run).status, runs.receipt(run).number) == ("committed", 3)
    assert volumes(runs) == [11.5, 1, None, 5.0]


def test_a_cell_that_another_changed_meanwhile_is_a_conflict() -> None:
    runs = Runs(answer=raised)
    run = meanwhile(runs, 1, 1)
    receipt = runs.receipt(run)
    assert (receipt.status, len(receipt.conflicts)) == ("conflicted", 1)
    (cell,) = receipt.conflicts[0]["cells"]  # type: ignore[misc]
    sides = {name: cell[name] for name in ("column", "base", "ours", "theirs")}
    assert sides == {"column": "volume", "base": 0, "ours": 1, "theirs": 5}
    assert cell["theirs_by"]["user"] == "ben"
    assert volumes(runs) == [10.5, 5.0, None, 7.25]
    assert runs.left(run) == SMALL


def test_two_edits_at_once_are_both_committed_where_they_do_not_meet() -> None:
    runs = Runs()
    runs.held = True
    sent = [runs.sql(RAISE), runs.sql("UPDATE master SET volume = 3 WHERE tow = 2", "ben")]
    runs.pump()
    runs.held = False
    runs.work()
    assert [runs.receipt(run).status for run in sent] == ["committed", "committed"]
    assert volumes(runs) == [11.5, 1, 3, 3]


# ---------------------------------------------------------------------------------------------------------- reviews


@pytest.mark.parametrize(("word", "status"), [("approve", "committed"), ("reject", "rejected")])
def test_an_edit_waits_for_its_stewards(word: str, status: str) -> None:
    nets = Reviewed()
    runs = Runs(nets)
    run = runs.sql(RAISE)
    runs.pump()
    assert runs.receipt(run).status == "in_review"
    assert runs.left(run) > SMALL
    runs.recover()
    assert runs.receipt(run).status == "in_review", "whose execution was lost waits on"
    nets.say(runs.receipt(run), word)
    runs.pump()
    assert runs.receipt(run).status == status
    assert runs.left(run) == SMALL


def test_a_loss_is_for_stewards_where_there_are_any() -> None:
    runs = Runs(Reviewed(policy={"policy": "when", "when": {"cells_changed": 1.0}}))
    run = runs.sql("DELETE FROM master WHERE tow = 1 OR net = 0")
    runs.pump()
    receipt = runs.receipt(run)
    assert receipt.status == "in_review", receipt
    assert "rows are deleted" in str(receipt.review)


# ------------------------------------------------------------------------------------------------------------ state


def test_what_is_known_of_a_run_changes_by_compare_and_swap() -> None:
    runs = Runs()
    run = keys.Run(NAME, "01K0000000000000000000000A")
    state = states.State(NAME, run.id, RAISE, "c", 1)
    saved = states.save(runs.store, state)
    assert states.load(runs.store, run) == state
    with pytest.raises(Contended):
        states.save(runs.store, state)
    states.save(runs.store, saved)
    with pytest.raises(NotFound, match=r"run\.json"):
        states.need(runs.store, keys.Run(NAME, "other"))
    runs.store.put(run.state, b'{"format": "towline.run/v2"}')
    with pytest.raises(Corrupt, match=r"towline\.run/v1"):
        states.load(runs.store, run)


def test_runs_whose_ids_differ_in_signs_only_have_tables_of_their_own() -> None:
    one, other = (states.table_prefix(keys.Run(NAME, id)) for id in ("a-b", "a_b"))
    assert one != other
    assert not one.startswith(other)


def test_a_token_that_was_never_left_is_none() -> None:
    assert words.token(Runs().bench, keys.Run(NAME, "x")) is None
