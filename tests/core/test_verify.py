"""A whole history is found whole, whatever is under way; and where it is not, what is found says what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.core.crashing import Crash, cut
from tests.core.nets import NAME, Nets
from tests.core.promises import records
from tests.core.test_prune import a_history
from tests.core.verifying import check, key_of, kinds
from towline import commit, keys
from towline.errors import NotFound
from towline.verify import verify
from towline.verify.finding import BREAKS, NOTES


@pytest.fixture
def nets() -> Nets:
    """Five commits of six proposals: the third commit holds two."""
    return a_history()


# ---- a whole history ----


@pytest.mark.parametrize("quick", [False, True])
def test_a_whole_history_is_found_whole(nets: Nets, quick: bool) -> None:
    verdict = check(nets, quick=quick)
    assert verdict.ok
    assert (verdict.commits, verdict.versions, verdict.notes) == (5, 5, ())
    assert (verdict.head, verdict.chain) == (nets.commit, records(nets)[-1]["chain"])


def test_it_writes_nothing_and_reads_as_much_as_there_is(nets: Nets) -> None:
    store = nets.pipeline.store
    before = store.requests.copy()
    check(nets)
    made = store.requests - before
    assert set(made) == {"get", "head", "list", "versions"}
    assert made["head"] == 5, "one a version"
    assert made["get"] == 1 + 6 * 3 + 5 * 3, "the contract; record, receipt, changes; version, snapshot, intent"


def test_quick_reads_no_table(nets: Nets) -> None:
    tables_read = []

    def fault(operation: str, key: str, phase: str) -> None:
        if operation == "get" and key.startswith(("data/", "snapshots/")):
            tables_read.append(key)

    nets.pipeline.store.faults = fault
    assert check(nets, quick=True).ok
    assert tables_read == []


def test_progress_is_told(nets: Nets) -> None:
    told: list[tuple[int, int]] = []
    verify(nets.pipeline.bench, NAME, seen=lambda done, whole: told.append((done, whole)))
    assert told == [(number, 5) for number in range(1, 6)]


def test_a_dataset_that_is_not_there_is_said(nets: Nets) -> None:
    with pytest.raises(NotFound, match="no dataset 'tows'"):
        verify(nets.pipeline.bench, "tows")


def test_every_kind_of_finding_has_a_way_out(nets: Nets) -> None:
    assert not BREAKS.keys() & NOTES.keys()
    nets.pipeline.store.delete(key_of(nets, records(nets)[1]))
    said = check(nets).to_json()
    assert said["ok"] is False
    assert said["findings"][0]["do"] == BREAKS["record.missing"]  # type: ignore[index]
    assert json.loads(json.dumps(said)) == said


# ---- what is under way ----


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("at", range(1, 28))
def test_a_commit_that_is_not_finished_is_a_note_at_every_step(nets: Nets, at: int, phase: Any) -> None:
    nets.dataset.send(nets.edit(1, 1, volume=12.5))
    nets.dataset.send(nets.insert(9, 9))
    cut(nets.pipeline.store, at, phase)
    try:
        nets.pipeline.pump()
    except Crash:
        verdict = check(nets)
        assert verdict.ok, verdict.findings
        assert {note.kind for note in verdict.notes} <= {"commit.unfinished"}
        assert check(nets, quick=True).ok
        nets.pipeline.bench.finished.clear()
        commit.settled_head(nets.pipeline.bench, NAME)
    nets.pipeline.store.faults = None
    assert check(nets).notes == ()


def test_a_commit_whose_intent_is_gone_before_it_was_finished_is_a_break(nets: Nets) -> None:
    nets.dataset.send(nets.edit(1, 1, volume=12.5))

    def fault(operation: str, key: str, phase: str) -> None:
        if operation == "copy":
            raise Crash

    nets.pipeline.store.faults = fault
    with pytest.raises(Crash):
        nets.pipeline.pump()
    nets.pipeline.store.faults = None
    (note,) = check(nets).notes
    assert (note.kind, note.number) == ("commit.unfinished", 6)
    nets.pipeline.store.delete(keys.intent(NAME, nets.commit))
    assert set(kinds(check(nets))) <= {"intent.missing", "version.forged"}
    assert not check(nets).ok


def test_commits_that_land_meanwhile_are_left_out(nets: Nets) -> None:
    """Wherever in its reading verify is when others commit."""
    for moment in ("receipts/", "audit/", "changes/", "snapshots/"):
        drafts = [nets.edit(1, 0, volume=float(len(records(nets)))), nets.insert(50 + len(records(nets)), 0)]

        def fault(operation: str, key: str, phase: str, moment: str = moment, drafts: Any = drafts) -> None:
            if operation == "list" and key.startswith(moment) and phase == "before":
                nets.pipeline.store.faults = None
                nets.send(*drafts)

        nets.pipeline.store.faults = fault
        verdict = check(nets)
        assert verdict.ok, (moment, verdict.findings)
        assert check(nets).commits == verdict.commits + 1
