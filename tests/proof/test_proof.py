"""The promises of the commit protocol hold in every interleaving of small cases, with faults at every call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future

import pytest

from tests.proof.actors import bench
from tests.proof.cases import CASES, LARGE, Case, committers, single
from tests.proof.explorer import BrokenAssumption, prove
from tests.proof.judge import Violation
from tests.proof.memo import remembering
from tests.proof.side_by_side import Told, explored
from tests.proof.world import NAME, apply, world
from towline import keys

EXPLORED = (*CASES, *LARGE) if os.environ.get("TOWLINE_PROOF") == "large" else CASES


@pytest.fixture(scope="module")
def explorations(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Future[Told]]]:
    """Those of the cases that this run asks for."""
    asked = {getattr(item, "callspec", None) and item.callspec.params.get("case") for item in request.session.items}
    with explored([case for case in EXPLORED if case in asked]) as begun:
        yield begun


@pytest.mark.parametrize("case", EXPLORED, ids=lambda case: case.__name__)
def test_the_promises_hold_in_every_interleaving(
    case: Callable[[], Case], explorations: Mapping[str, Future[Told]], report: list[str]
) -> None:
    proof = explorations[case.__name__].result()
    report.append(proof.text)
    assert proof.holds, proof.text
    assert proof.schedules >= proof.ends > 0


def test_one_writer_without_faults_has_one_schedule() -> None:
    proof = prove(single().but(faults=0))
    assert (proof.schedules, proof.ends) == (1, 1)


def test_two_writers_are_interleaved_at_every_call_that_the_other_can_see() -> None:
    """With both orders of the two commits among the ends."""
    proof = prove(committers("two", "P", "Z", faults=0))
    assert proof.ends > 2
    assert proof.schedules > 1_000


def test_a_fault_at_every_call_is_among_the_schedules() -> None:
    """One writer with one fault: it dies before each of its calls, besides all else that may happen there."""
    without, with_one = prove(single().but(faults=0)), prove(single())
    assert with_one.schedules > 4 * without.states


def committed() -> tuple[Case, str]:
    """A case whose store is at rest after one commit, and the key of its audit record."""
    here = world()
    receipt = here.accept("P")
    worker = bench(50, here.store)
    apply(receipt)(worker)
    return single().but(store=here.store), str(worker.results[0].audit_key)


def test_the_judge_finds_nothing_in_a_sound_store() -> None:
    case, _ = committed()
    case.judge(case.store)


@pytest.mark.parametrize(
    ("spoil", "promise"),
    [
        ("audit", "a committed proposal is in the history once"),
        ("changes", "the one that its record tells of"),
        ("master", "the head is a commit"),
        ("receipt", "no proposal is lost"),
        ("snapshot", "each snapshot is its version"),
    ],
)
def test_the_judge_finds_what_is_spoiled(spoil: str, promise: str) -> None:
    case, audit_key = committed()
    store = case.store
    if spoil == "audit":
        store.delete(audit_key)
    else:
        prefix = {"changes": keys.CHANGES, "master": keys.DATA, "receipt": keys.receipt(NAME, "P")}.get(
            spoil, "snapshots/"
        )
        key = store.names(prefix)[-1]
        store.delete(key) if spoil == "receipt" else store.put(key, b"spoiled")
    with pytest.raises(Violation, match=promise):
        case.judge(store)


def test_an_exploration_that_believes_too_much_says_so() -> None:
    """The case of the same bytes twice, explored as if no ETag came again."""
    from tests.proof.cases import same_bytes_twice

    with pytest.raises(BrokenAssumption, match="comes again"):
        prove(same_bytes_twice().but(etags_recur=False))


def test_remembering_ends() -> None:
    from towline import table

    before = table.from_parquet
    with remembering():
        assert table.from_parquet is not before
    assert table.from_parquet is before
