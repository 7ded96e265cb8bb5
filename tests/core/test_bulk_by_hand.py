"""A CTAS that somebody ran by hand: where it wrote, what it read, and what becomes of it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from tests.core.nets import NAME, Nets
from tests.core.sql_machine import BUCKET, Machine
from tests.core.test_bulk_runs import raised
from towline import keys
from towline.bulk import adopting
from towline.bulk.adopting import adopt, note_of, place_of
from towline.errors import BadProposal, Contended
from towline.execution import CANCELLED, FAILED, SUCCEEDED, Execution

PLACE = f"sql/{NAME}/next/ana/shift/"


def ctas(location: str = f"s3://{BUCKET}/{PLACE}") -> str:
    return f"CREATE TABLE shifted WITH (format = 'PARQUET', external_location = '{location}') AS SELECT 1 AS tow"


class ByHand(Machine):
    """Somebody at the Athena console, and the machine that hears of it."""

    def ran(self, state: str = SUCCEEDED, reason: str = "", part: str = "part-0", manifest: bool = True) -> Execution:
        """A query that was submitted a while after the last change, and has written its part."""
        clock, store = self.nets.pipeline.bench.clock, self.nets.pipeline.store
        clock.now += timedelta(seconds=10)  # type: ignore[attr-defined]
        submitted = clock()
        sink = io.BytesIO()
        pq.write_table(raised(self.table()), sink)
        store.put(f"{PLACE}{part}", sink.getvalue())
        listed = f"sql/_results/tables/{part}-manifest.csv"
        if manifest:
            store.put(listed, f"s3://{BUCKET}/{PLACE}{part}\n".encode())
        where = f"s3://{BUCKET}/{listed}" if manifest else ""
        return Execution(
            "q-1", state, ctas(), reason, submitted=submitted, completed=clock(), scanned_bytes=7, manifest=where
        )

    def hear(self, execution: Execution, name: str = "event-1") -> dict[str, object]:
        return adopt(self.nets.pipeline.bench, execution, BUCKET, name)

    @property
    def run(self) -> keys.Run:
        return keys.Run(NAME, "q-1")

    def parts(self) -> list[str]:
        return [entry.key.removeprefix(PLACE) for entry in self.nets.pipeline.store.list(PLACE)]


@pytest.fixture
def hand() -> ByHand:
    return ByHand(Nets(), raised)


def test_it_is_promoted_in_the_name_of_its_place(hand: ByHand) -> None:
    answer = hand.hear(hand.ran())
    assert (answer["decision"], answer["prefix"]) == ("flatten", PLACE)
    receipt = hand.go_on(hand.run, answer)
    assert (receipt.status, receipt.number, receipt.user, receipt.proposal) == ("committed", 2, "ana", "q-1")
    assert hand.table()["volume"].to_pylist() == [11.5, 1.0, None, 7.25]
    assert hand.nets.dataset.log()[0]["query"] == ctas()
    assert hand.parts() == []
    assert hand.left(hand.run) == {"run.json", "preview.json", "proposal.sql.json"}


def test_of_two_executions_for_one_event_one_goes_on(hand: ByHand) -> None:
    execution = hand.ran()
    first = hand.hear(execution, "event-1")
    assert hand.hear(execution, "event-2") == {"decision": "none"}
    assert hand.hear(execution, "event-1") == first, "its own step may be taken again"
    assert hand.go_on(hand.run, first).status == "committed"
    assert hand.hear(execution, "event-3")["decision"] == "clean"
    assert hand.number == 2


def test_one_that_was_interrupted_goes_on_from_its_parts(hand: ByHand) -> None:
    hand.hear(hand.ran())
    hand.reconcile()
    assert hand.receipt(hand.run).status == "committed"
    assert hand.parts() == []


@pytest.mark.parametrize(("state", "reason"), [(FAILED, "SYNTAX_ERROR: line 1:8"), (CANCELLED, "")])
def test_a_query_that_ended_badly_is_told_of_and_its_parts_go(hand: ByHand, state: str, reason: str) -> None:
    assert hand.hear(hand.ran(state, reason, manifest=False))["decision"] == "clean"
    receipt = hand.receipt(hand.run)
    assert (receipt.status, receipt.violations[0]["rule"]) == ("rejected", "sql.query")
    assert (reason or "cancelled") in receipt.message
    assert hand.nets.pipeline.told[-1] == replace(receipt, etag=hand.nets.pipeline.told[-1].etag)
    assert hand.parts() == []
    assert hand.number == 1


def test_parts_of_another_query_in_the_same_place_stay(hand: ByHand) -> None:
    other = hand.ran(part="part-of-another")
    hand.hear(hand.ran(FAILED, "out of memory", manifest=False))
    assert hand.parts() == ["part-of-another"]
    occupied = replace(
        other, id="q-2", state=FAILED, manifest="", reason="HIVE_PATH_ALREADY_EXISTS: the place is taken"
    )
    hand.hear(occupied)
    assert hand.parts() == ["part-of-another"]
    assert hand.go_on(keys.Run(NAME, "q-3"), hand.hear(replace(other, id="q-3"))).status == "committed"
    assert hand.parts() == []


def test_a_query_that_athena_does_not_know_to_have_ended_is_asked_for_again(hand: ByHand) -> None:
    execution = hand.ran("RUNNING")
    with pytest.raises(Contended, match="still says RUNNING"):
        hand.hear(execution)
    assert hand.hear(replace(execution, state=SUCCEEDED))["decision"] == "flatten"


@pytest.mark.parametrize("seconds", [-0.9, 0.0, 3.0])
def test_where_the_master_changed_beside_it_what_it_read_is_not_known(hand: ByHand, seconds: float) -> None:
    """The change came so many seconds after the query was submitted; it ran for five."""
    changed = hand.head().blob.stat.modified
    submitted = changed - timedelta(seconds=seconds)
    late = replace(hand.ran(), submitted=submitted, completed=submitted + timedelta(seconds=5))
    assert hand.hear(late)["decision"] == "clean"
    assert hand.receipt(hand.run).violations[0]["rule"] == "sql.base"
    assert hand.number == 1


def test_the_version_that_stood_before_a_later_change_is_the_base(hand: ByHand) -> None:
    execution = hand.ran()
    hand.nets.pipeline.bench.clock.now += timedelta(seconds=10)  # type: ignore[attr-defined]
    hand.nets.send(hand.nets.edit(2, 1, vessel="Aurora"))
    receipt = hand.go_on(hand.run, hand.hear(execution))
    assert (receipt.status, receipt.number, receipt.run["number"]) == ("committed", 3, 1)
    assert hand.nets.row(2, 1)["vessel"] == "Aurora"
    assert hand.nets.row(1, 0)["volume"] == 11.5


def test_before_there_was_a_master_there_is_nothing_to_base_it_on(hand: ByHand) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    with pytest.raises(BadProposal, match="there was no master"):
        adopting.standing(hand.nets.pipeline.bench, NAME, long_ago, long_ago + timedelta(seconds=5))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "not SQL at all (",
        f"CREATE TABLE t (a int) LOCATION 's3://{BUCKET}/{PLACE}'",
        ctas("s3://another-bucket/sql/nets/next/ana/shift/"),
        ctas(f"s3://{BUCKET}/copies/nets/"),
        ctas(f"s3://{BUCKET}/sql/nets/run-1/next/1/"),
        "CREATE TABLE t AS SELECT 1 AS a",
    ],
)
def test_other_statements_are_nothing_to_it(hand: ByHand, statement: str) -> None:
    assert place_of(statement, BUCKET) is None
    assert hand.hear(replace(hand.ran(), statement=statement)) == {"decision": "none"}
    assert hand.parts() == ["part-0"]


def test_a_place_of_a_dataset_that_there_is_not_is_left_alone(hand: ByHand) -> None:
    statement = ctas(f"s3://{BUCKET}/sql/unheard_of/next/ana/shift/")
    assert hand.hear(replace(hand.ran(), statement=statement)) == {"decision": "none"}


def test_the_place_is_found_with_or_without_a_slash_at_its_end() -> None:
    for location in (f"s3://{BUCKET}/{PLACE}", f"s3://{BUCKET}/{PLACE.rstrip('/')}"):
        place = place_of(ctas(location), BUCKET)
        assert place is not None
        assert (place.dataset, place.principal, place.prefix) == (NAME, "ana", PLACE)


@pytest.mark.parametrize(
    ("statement", "note"),
    [
        (f"-- note: nets were counted from 0\n{ctas()}", "nets were counted from 0"),
        (f"  --NOTE:  odd   \n{ctas()}", "odd"),
        (f"-- note:\n{ctas()}", "CTAS by hand in Athena"),
        (ctas(), "CTAS by hand in Athena"),
    ],
)
def test_the_note_stands_before_the_statement(statement: str, note: str) -> None:
    assert note_of(statement) == note
