"""An archived history is verified as any other, also while it is being archived."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.crashing import Crash, cut
from tests.core.nets import NAME, Nets
from tests.core.test_prune import REQUESTS, a_history, run
from tests.core.verifying import check, kinds
from towline import prune


@pytest.fixture
def nets() -> Nets:
    """Five commits of six proposals: the third commit holds two."""
    return a_history()


@pytest.mark.parametrize("keep", [1, 3, 4])
@pytest.mark.parametrize("quick", [False, True])
def test_an_archived_history_is_verified_from_its_first_snapshot(nets: Nets, keep: int, quick: bool) -> None:
    run(nets, keep)
    verdict = check(nets, quick=quick)
    assert verdict.ok, verdict.findings
    assert (verdict.commits, verdict.notes) == (5, ())


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("at", range(1, REQUESTS + 1))
def test_verify_passes_while_a_history_is_being_archived(nets: Nets, at: int, phase: Any) -> None:
    cut(nets.pipeline.store, at, phase)
    with pytest.raises(Crash):
        run(nets, 3)
    verdict = check(nets)
    assert verdict.ok, verdict.findings
    assert check(nets, quick=True).ok


def test_what_is_tampered_with_in_the_archive_is_found(nets: Nets) -> None:
    moves = prune.plan(nets.pipeline.bench, NAME, 1).moves
    run(nets, 1)
    store = nets.pipeline.store
    for move in moves:
        body, metadata = store.get(move.to).body, store.get(move.to).stat.metadata
        store.put(move.to, body[:-5] + b"12345", metadata=metadata)
        assert {"snapshot.altered", "record.unreadable"} & set(kinds(check(nets))), move
        store.delete(move.to)
        assert {"snapshot.missing", "record.missing"} & set(kinds(check(nets))), move
        store.put(move.to, body, metadata=metadata)
        assert check(nets).ok
    store.put("archive/nets/README.txt", b"hello")
    assert kinds(check(nets)) == ["archive.stray"]


def test_an_archived_copy_that_is_another_than_the_original_is_found(nets: Nets) -> None:
    moves = prune.plan(nets.pipeline.bench, NAME, 1).moves
    for move in moves[:2]:
        nets.pipeline.store.put(move.to, nets.pipeline.store.get(move.key).body + b"}")
        assert not check(nets).ok
        nets.pipeline.store.delete(move.to)


def test_archiving_while_verify_reads_does_no_harm(nets: Nets) -> None:
    for moment in ("receipts/", "audit/", "archive/", "snapshots/"):
        nets = a_history()

        def fault(operation: str, key: str, phase: str, nets: Nets = nets, moment: str = moment) -> None:
            if operation == "list" and key.startswith(moment) and phase == "after":
                nets.pipeline.store.faults = None
                run(nets, 1)

        nets.pipeline.store.faults = fault
        verdict = check(nets)
        assert verdict.ok, (moment, verdict.findings)
