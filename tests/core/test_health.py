"""How things are: what is fine, what is not, what to do about it; nothing that hangs or fails hides the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.core.nets import NAME, Nets
from tests.pipeline import Pipeline
from towline import __version__, keys, receipts, reconcile
from towline.errors import Corrupt, NotFound, Refused, Unavailable
from towline.health import judge, pipeline, versions
from towline.health.checkup import Checkup, Probe
from towline.health.datasets import Datasets
from towline.health.fact import Fact, Health, size, span
from towline.health.judge import Disk, Queue
from towline.inbox import PART_OF
from towline.memory import fail_once
from towline.receipts import Receipt
from towline.reconcile import Findings, Run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUN = Run(NOW, timedelta(minutes=10), version=__version__)
QUIET = Findings((NAME,), (), (), (), ())


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def probe(look: Callable[[], Iterable[Fact]], name: str = "S3") -> Probe:
    return Probe("storage", (name,), look)


def raising(error: Exception) -> Probe:
    def look() -> Iterator[Fact]:
        raise error
        yield

    return probe(look)


def fine(says: str = "yes") -> Fact:
    return Fact("storage", "S3", "fine", says)


# ---- looking at everything ----


def test_what_is_looked_at_is_told_in_the_order_in_which_it_is_asked() -> None:
    first, second = fine("first"), fine("second")
    assert Checkup([probe(lambda: [first]), probe(lambda: [second])]).look().facts == (first, second)


@pytest.mark.parametrize(
    ("error", "says", "see"),
    [
        (Refused("403"), "you may not see this", "What you may not see"),
        (Unavailable("no connection"), "it does not answer", "S3 does not answer"),
        (NotFound("no such queue"), "no such queue", "Something is missing"),
        (Corrupt("two heads"), "two heads", "A check fails"),
        (ZeroDivisionError("oh"), "this check failed: ZeroDivisionError('oh')", "A check fails"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_found_out_is_unknown_with_the_reason_and_hides_nothing_else(
    error: Exception, says: str, see: str
) -> None:
    unknown, known = Checkup([raising(error), probe(lambda: [fine()])]).look().facts
    assert (unknown.state, unknown.name, unknown.says, unknown.see) == ("unknown", "S3", says, see)
    assert unknown.do
    assert known == fine()


def test_a_probe_that_fails_tells_of_every_fact_that_it_would_have_found() -> None:
    failing = replace(raising(Refused("403")), names=("Validate queue", "Dead letters of validate"))
    assert [(f.name, f.state) for f in Checkup([failing]).look().facts] == [
        ("Validate queue", "unknown"),
        ("Dead letters of validate", "unknown"),
    ]


class Hanging:
    """A probe that answers when it is let go; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked, self.go = 0, Event()

    def __call__(self) -> list[Fact]:
        self.asked += 1
        self.go.wait(30)
        return [fine(f"answer {self.asked}")]


def test_what_hangs_is_unknown_in_time_and_is_not_asked_again_meanwhile() -> None:
    hanging = Hanging()
    checkup = Checkup([probe(hanging), probe(lambda: [fine()])], patience=0.05)
    for _ in range(5):
        slow, quick = checkup.look().facts
        assert (slow.state, slow.says) == ("unknown", "no answer within 0.05 s")
        assert quick == fine()
    assert hanging.asked == 1
    hanging.go.set()


def test_an_answer_that_comes_late_is_shown_by_the_next_look() -> None:
    hanging = Hanging()
    checkup = Checkup([probe(hanging)], patience=20)
    (asked,) = checkup.look(wait=0).facts
    assert (asked.state, asked.says) == ("unknown", "being asked")
    hanging.go.set()
    while checkup.look(wait=0).facts[0].state == "unknown":
        pass
    assert checkup.look().facts[0].says.startswith("answer")


def test_those_who_do_not_wait_see_what_was_last_known() -> None:
    hanging = Hanging()
    hanging.go.set()
    checkup = Checkup([probe(hanging)], patience=20)
    assert checkup.look().facts == (fine("answer 1"),)
    hanging.go.clear()
    assert checkup.look(wait=0).facts == (fine("answer 1"),)
    hanging.go.set()


# ---- the verdict ----


def test_the_worst_fact_is_the_verdict_and_what_to_do_begins_with_it() -> None:
    states = ("fine", "unknown", "red", "attention")
    found = Health(NOW, tuple(replace(fine(), state=state) for state in states))
    assert found.state == "red"
    assert [fact.state for fact in found.to_do] == ["red", "attention", "unknown"]
    assert found.verdict() == "1 red, 1 to look at, 1 unknown"
    assert Health(NOW, (fine(),)).verdict() == "All is fine"


@given(st.integers(0, 10**9))
def test_a_length_of_time_is_never_told_longer_than_it_is(seconds: int) -> None:
    number, unit = span(timedelta(seconds=seconds)).split(" ")
    told = int(number) * {"s": 1, "min": 60, "h": 3600, "days": 86_400}[unit]
    assert told <= seconds < told + {"s": 1, "min": 60, "h": 3600, "days": 86_400}[unit]


def test_a_clock_that_goes_behind_makes_no_negative_length() -> None:
    assert span(minutes(-3)) == "0 s"


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (443_210, "443 kB"), (81_368_000_000, "81 GB"), (5e15, "5,000 TB")],
)
def test_bytes_are_told_in_their_largest_unit(count: float, said: str) -> None:
    assert size(count) == said


# ---- judging ----


@pytest.mark.parametrize(
    ("fact", "state"),
    [
        (judge.reached("AWS", timedelta(seconds=0.1), timedelta(seconds=2)), "fine"),
        (judge.reached("AWS", timedelta(seconds=0.1), minutes(6)), "attention"),
        (judge.versioning("Enabled"), "fine"),
        (judge.versioning("Suspended"), "red"),
        (judge.versioning(""), "red"),
        (judge.queue("Apply queue", Queue(100, 10)), "fine"),
        (judge.queue("Apply queue", Queue(101, 0)), "attention"),
        (judge.dead_letters("Dead letters of apply", "ApplyProposals", 0), "fine"),
        (judge.dead_letters("Dead letters of apply", "ApplyProposals", 1), "red"),
        (judge.last_run(None, NOW), "attention"),
        (judge.last_run(RUN, NOW + minutes(20)), "fine"),
        (judge.last_run(RUN, NOW + minutes(21)), "attention"),
        (judge.last_run(RUN, NOW + minutes(61)), "red"),
        (judge.last_run(RUN, NOW - minutes(1)), "fine"),
        (judge.last_run(replace(RUN, every=minutes(60)), NOW + minutes(61)), "fine"),
        (judge.last_run(replace(RUN, problems=("nets: gone",)), NOW), "red"),
        (judge.disk("/data", Disk(10, 500, 500, 100)), "fine"),
        (judge.disk("/data", Disk(10, 499, 500, 100)), "attention"),
        (judge.disk("/data", Disk(10, 99, 500, 100)), "red"),
        (judge.waiting(NAME, {}, NOW), "fine"),
        (judge.waiting(NAME, {"p1": NOW - minutes(0.9)}, NOW), "fine"),
        (judge.waiting(NAME, {"p1": NOW - minutes(2)}, NOW), "attention"),
        (judge.waiting(NAME, {"p1": NOW - minutes(16), "p2": NOW}, NOW), "red"),
        (judge.quarantine(NAME, 12, NOW), "fine"),
        (judge.version("Functions", __version__, __version__, ""), "fine"),
        (judge.version("Functions", "0.0.9", __version__, "deploy"), "attention"),
    ],
)
def test_what_is_found_has_its_state_and_what_is_not_fine_its_way_out(fact: Fact, state: str) -> None:
    assert fact.state == state
    assert bool(fact.do) == bool(fact.see) == (state != "fine")


def test_dead_letters_say_how_many_where_to_look_and_how_to_send_them_again() -> None:
    fact = judge.dead_letters("Dead letters of apply", "ApplyProposals", 2)
    assert fact.says == "2 messages failed five times"
    assert "ApplyProposals" in fact.do
    assert "towline health --redrive" in fact.do


def test_a_late_reconcile_says_since_when_and_one_with_problems_which() -> None:
    assert judge.last_run(RUN, NOW + minutes(45)).says.startswith("ran 45 min ago (every 10 min)")
    assert "nets: gone" in judge.last_run(replace(RUN, problems=("nets: gone",)), NOW).says


def test_every_section_that_a_fact_names_is_in_the_runbook() -> None:
    headings = set(re.findall(r"^## (.+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE))
    folders = ("health", "aws", "local", "verify")
    sources = [path.read_text() for folder in folders for path in (ROOT / "src" / "towline" / folder).glob("*.py")]
    words = {text for source in sources for text in re.findall(r'["“]([A-Z][A-Za-z0-9 ]+)["”]', source)}
    assert words >= headings, "the runbook has a section that no fact names"
    named = {fact.see for fact in _every_fact()} - {""}
    assert named
    assert named <= headings


def _every_fact() -> Iterator[Fact]:
    """Of every judgement one that is not fine."""
    yield judge.reached("AWS", minutes(0), minutes(6))
    yield judge.unreached("nothing answers", judge.START_AGAIN)
    yield judge.versioning("Suspended")
    yield judge.queue("Apply queue", Queue(1000, 0))
    yield judge.dead_letters("Dead letters of apply", "ApplyProposals", 1)
    yield from (judge.last_run(run, NOW + minutes(100)) for run in (None, RUN, replace(RUN, problems=("x",))))
    yield judge.disk("/data", Disk(0, 0, 500, 100))
    yield judge.waiting(NAME, {"p": NOW - minutes(100)}, NOW)
    yield judge.version("Stack", "0", "1", "start it again")
    for error in (Refused("x"), Unavailable("x"), NotFound("x"), Corrupt("x"), ValueError("x")):
        yield from raising(error).answer()


# ---- what the store tells ----


@pytest.fixture
def nets() -> Nets:
    return Nets()


def facts(nets: Nets) -> dict[str, Fact]:
    """The facts of the dataset, by their names."""
    return {fact.name: fact for fact in Datasets(nets.pipeline.bench).look()}


def later(nets: Nets, by: timedelta) -> None:
    nets.pipeline.bench.clock.now += by  # type: ignore[attr-defined]


def test_a_dataset_in_order_is_fine_in_all_respects(nets: Nets) -> None:
    nets.send(nets.edit(1, 0, volume=11.0))
    found = facts(nets)
    assert {name: fact.state for name, fact in found.items()} == dict.fromkeys(
        ("head", "unfinished", "waiting", "quarantine"), "fine"
    )
    assert found["head"].values["number"] == 2
    assert found["head"].values["commit"] == nets.commit
    assert found["waiting"].says == found["quarantine"].says == "none"
    assert {fact.about for fact in found.values()} == {NAME}


def test_a_copy_of_an_old_snapshot_over_the_master_is_not_taken_for_its_commit(nets: Nets) -> None:
    (first,) = nets.send(nets.edit(1, 0, volume=11.0))
    nets.send(nets.edit(1, 0, volume=12.0))
    nets.pipeline.store.copy(str(first.snapshot_key), keys.master(NAME))
    assert "written past Towline" in facts(nets)["head"].says


def test_a_bucket_without_datasets_says_how_to_make_one() -> None:
    (fact,) = Datasets(Pipeline().bench).look()
    assert (fact.state, fact.about) == ("fine", "")
    assert "towline create" in fact.says


def test_a_proposal_that_nobody_has_looked_at_waits(nets: Nets) -> None:
    ticket = nets.dataset.send(nets.edit(1, 0, volume=11.0))
    age(nets, minutes(5))
    assert facts(nets)["waiting"].values["slow"] == [ticket.proposal]
    assert facts(nets)["waiting"].state == "attention"


def age(nets: Nets, by: timedelta) -> None:
    """Let everything in the store be older by that much."""
    for history in nets.pipeline.store._history.values():
        history[:] = [replace(s, stat=replace(s.stat, modified=nets.pipeline.bench.clock() - by)) for s in history]


def test_a_proposal_that_is_accepted_and_not_committed_waits_until_it_is_decided(nets: Nets) -> None:
    bench = nets.pipeline.bench
    stuck = receipts.swap(bench.store, Receipt("p1", NAME, "received").moved("accepted", bench.clock()))
    assert stuck is not None
    age(nets, minutes(20))
    found, watch = facts(nets)["waiting"], Datasets(bench)
    assert (found.state, found.values["slow"]) == ("red", ["p1"])
    assert "p1" in found.says
    receipts.swap(bench.store, stuck.moved("rejected", bench.clock()))
    assert next(fact for fact in watch.look() if fact.name == "waiting").state == "fine"


def test_receipts_that_are_final_are_read_once(nets: Nets) -> None:
    age(nets, minutes(1))
    watch, requests = Datasets(nets.pipeline.bench), nets.pipeline.store.requests
    watch.look()
    before = requests["get"]
    watch.look()
    assert requests["get"] == before + 1, "the receipt of the head's commit, which says that it is finished"


def test_a_file_whose_proposal_has_not_come_and_a_folder_marker_are_no_proposals(nets: Nets) -> None:
    store = nets.pipeline.store
    store.put(keys.inbox(NAME, "ana", "p7.csv"), b"tow\n1\n", metadata={PART_OF: "p7.json"})
    store.put(keys.inbox(NAME, "ana", "folder/"), b"")
    age(nets, minutes(5))
    assert facts(nets)["waiting"].state == "fine"


def test_a_file_that_may_not_be_read_is_taken_for_a_proposal(nets: Nets) -> None:
    store = nets.pipeline.store
    store.put(keys.inbox(NAME, "ben", "p7.csv"), b"tow\n1\n", metadata={PART_OF: "p7.json"})
    age(nets, minutes(5))
    store.faults = fail_once("head", "before", Refused("403"), prefix="inbox/")
    assert facts(nets)["waiting"].values["slow"] == ["p7"]


def test_what_was_refused_is_counted_and_is_no_trouble(nets: Nets) -> None:
    (receipt,) = nets.send(nets.edit(1, 0, volume=-1.0))
    assert receipt.status == "rejected"
    found = facts(nets)["quarantine"]
    assert (found.state, found.values["entries"]) == ("fine", 1)
    assert found.says.startswith("1 refused, the last on 20")


def test_a_commit_that_is_not_finished_is_told_by_how_long(nets: Nets) -> None:
    bench, head = nets.pipeline.bench, nets.head()
    assert head is not None
    bench.store.delete(keys.receipt(NAME, head.proposal))
    states = []
    for wait in (0, 5, 40):
        later(nets, minutes(wait))
        states.append(facts(nets)["unfinished"].state)
    assert states == ["fine", "attention", "red"]
    assert facts(nets)["unfinished"].values["finished"] is False


def test_an_intent_whose_commit_never_came_is_fine_for_a_day_and_then_reconcile_is_late(nets: Nets) -> None:
    bench = nets.pipeline.bench
    later(nets, minutes(1))
    bench.store.put(keys.intent(NAME, bench.new_id()), b"{}")
    states = []
    for hours in (0, 20, 10, 72):
        later(nets, timedelta(hours=hours))
        states.append(facts(nets)["unfinished"].state)
    assert states == ["fine", "fine", "attention", "fine"]
    assert facts(nets)["unfinished"].values["intents"] == 1


def test_intents_of_commits_that_came_are_not_counted(nets: Nets) -> None:
    nets.send(nets.edit(1, 0, volume=11.0))
    nets.send(nets.edit(1, 0, volume=12.0))
    assert len(list(nets.pipeline.store.list(keys.INTENTS))) == 3
    assert facts(nets)["unfinished"].values["intents"] == 0


def test_a_master_written_past_towline_is_told_until_it_is_recorded(nets: Nets) -> None:
    head = nets.head()
    assert head is not None
    nets.pipeline.store.put(keys.master(NAME), head.blob.body)
    age(nets, minutes(5))
    assert facts(nets)["head"].state == "attention"
    age(nets, minutes(40))
    assert facts(nets)["head"].state == "red"
    reconcile.reconcile(nets.pipeline.bench)
    assert facts(nets)["head"].state == "fine"


def test_a_master_that_was_deleted_is_red_and_says_how_to_bring_it_back(nets: Nets) -> None:
    nets.pipeline.store.delete(keys.master(NAME))
    found = facts(nets)["head"]
    assert found.state == "red"
    assert "delete marker" in found.do


def test_what_may_not_be_read_of_a_dataset_does_not_hide_the_rest(nets: Nets) -> None:
    nets.pipeline.store.faults = fail_once("list", "before", Refused("403"), prefix=keys.QUARANTINE)
    found = facts(nets)
    assert found["quarantine"].state == "unknown"
    assert found["quarantine"].about == NAME
    assert found["head"].state == "fine"


# ---- the note of Reconcile ----


def test_reconcile_leaves_a_note_that_is_read_back(nets: Nets) -> None:
    bench = nets.pipeline.bench
    assert reconcile.last_run(bench.store) is None
    written = reconcile.note(bench, replace(QUIET, problems=("nets: gone",)), minutes(10), {"apply": "https://q"})
    read = reconcile.last_run(bench.store)
    assert read is not None
    assert read == replace(written, at=written.at.replace(microsecond=0))
    assert (read.version, read.problems, read.queues) == (__version__, ("nets: gone",), {"apply": "https://q"})


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"format": "towline.reconcile/v9"}', b"\xff"])
def test_a_note_that_cannot_be_read_is_unknown_and_no_traceback(nets: Nets, body: bytes) -> None:
    bench = nets.pipeline.bench
    bench.store.put(keys.LAST_RUN, body)
    with pytest.raises(Corrupt, match=r"meta/reconcile\.json"):
        reconcile.last_run(bench.store)
    (fact,) = Probe("pipeline", ("Reconcile",), lambda: pipeline.runs(bench)).answer()
    assert fact.state == "unknown"


def test_the_last_run_tells_the_version_of_the_functions_too(nets: Nets) -> None:
    reconcile.note(nets.pipeline.bench, QUIET, minutes(10), {})
    run, version = pipeline.runs(nets.pipeline.bench)
    assert (run.name, run.state, version.name, version.state) == ("Reconcile", "fine", "Functions", "fine")


def test_versions_name_this_program_and_its_formats() -> None:
    found = {fact.name: fact for fact in versions.look()}
    assert found["Towline"].says == __version__
    assert "towline.proposal/v1" in found["Formats"].values["formats"]  # type: ignore[operator]
    assert {fact.state for fact in found.values()} == {"fine"}
