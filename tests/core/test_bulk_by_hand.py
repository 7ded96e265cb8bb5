"""Queries that somebody ran by hand: which of them are runs, what they read, and how each ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.core.nets import NAME
from tests.core.promises import check_promises, records
from tests.core.raising import head, raised, volumes
from tests.runs import BUCKET, Runs, put_part
from towline import keys
from towline.bulk import adopting
from towline.errors import Contended
from towline.execution import CANCELLED, FAILED, Execution
from towline.proposals import MAX_STATEMENT

HERE = {"run.json", "preview.json", "proposal.sql.json"}
PLACE = keys.by_hand(NAME, "ana", "shift")


def run_of(execution: Execution) -> keys.Run:
    return keys.Run(NAME, execution.id)


def parts_left(runs: Runs) -> list[str]:
    return [entry.key for entry in runs.store.list(keys.by_hand(NAME))]


def refused(runs: Runs, execution: Execution) -> str:
    """The rule by which a query by hand was refused, with its parts gone and its input kept."""
    rule = runs.rule(run_of(execution))
    assert head(runs).number == 1
    assert runs.left(run_of(execution)) <= HERE
    assert {"proposal.sql.json", "report.json", "query.json"} <= runs.kept(run_of(execution))
    return rule


def ctas(runs: Runs, **instead: Any) -> Execution:
    return runs.ctas(raised(head(runs).table), place=PLACE, **instead)


def test_a_ctas_by_hand_is_committed_in_the_name_of_its_place() -> None:
    runs = Runs()
    execution = ctas(runs)
    assert runs.by_hand(replace(execution, statement=f"-- note: counted from 0\n{execution.statement}")) == "flatten"
    receipt = runs.receipt(run_of(execution))
    assert (receipt.status, receipt.number, receipt.user) == ("committed", 2, "ana")
    assert (receipt.note, receipt.kind) == ("counted from 0", "sql")
    assert (receipt.run["scanned_bytes"], receipt.run["query_id"]) == (1_234, "hand-1")
    assert volumes(runs) == [11.5, 1, None, 7.25]
    assert records(runs.nets)[-1]["query"] == f"-- note: counted from 0\n{execution.statement}"
    assert (runs.left(run_of(execution)), parts_left(runs)) == (HERE, [])
    check_promises(runs.nets)


def test_an_event_that_comes_twice_is_one_run() -> None:
    runs = Runs()
    runs.held = True
    execution = ctas(runs)
    assert runs.by_hand(execution, "one") == "flatten"
    assert runs.by_hand(execution, "other") == "none"
    assert runs.by_hand(execution, "one") == "flatten", "the step is taken again"
    runs.held = False
    runs.work()
    assert runs.receipt(run_of(execution)).status == "committed"
    assert runs.by_hand(execution, "third") == "clean"
    assert (head(runs).number, runs.left(run_of(execution))) == (2, HERE)


def test_a_run_by_hand_whose_execution_was_lost_is_taken_up() -> None:
    runs = Runs()
    execution = ctas(runs)
    adopting.adopt(runs.bench, execution, BUCKET, "one")
    runs.recover()
    assert (runs.receipt(run_of(execution)).status, runs.left(run_of(execution))) == ("committed", HERE)


def test_a_run_by_hand_of_which_no_base_was_noted_is_refused() -> None:
    runs = Runs()
    execution = ctas(runs)
    adopting.adopt(runs.bench, execution, BUCKET, "one")
    runs.store.delete(run_of(execution).state)
    runs.recover()
    assert runs.rule(run_of(execution)) == "sql.base"
    assert runs.left(run_of(execution)) <= HERE


def test_what_athena_told_outlives_the_execution() -> None:
    runs = Runs()
    execution = ctas(runs)
    adopting.adopt(runs.bench, execution, BUCKET, "one")
    runs.recover()
    assert runs.receipt(run_of(execution)).run["scanned_bytes"] == 1_234


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (FAILED, "COLUMN_NOT_FOUND: line 1:8: x", "COLUMN_NOT_FOUND: line 1:8: x"),
        (CANCELLED, "", "the query was cancelled"),
    ],
)
def test_a_query_that_failed_is_told_to_its_author_and_its_parts_go(state: str, reason: str, said: str) -> None:
    runs = Runs()
    execution = ctas(runs, state=state, reason=reason)
    assert runs.by_hand(execution) == "clean"
    assert refused(runs, execution) == "sql.query"
    assert said in runs.receipt(run_of(execution)).message
    assert runs.nets.pipeline.told[-1].proposal == execution.id
    assert parts_left(runs) == []


def test_a_query_that_found_the_place_taken_leaves_what_lay_there() -> None:
    runs = Runs()
    put_part(runs.store, f"{PLACE}part_9", head(runs).table)
    execution = runs.ctas(place=PLACE, state=FAILED, reason=f"HIVE_PATH_ALREADY_EXISTS: s3://{BUCKET}/{PLACE}")
    runs.by_hand(execution)
    assert refused(runs, execution) == "sql.query"
    assert parts_left(runs) == [f"{PLACE}part_9"]


def test_the_parts_of_another_query_in_the_same_place_stay() -> None:
    runs = Runs()
    put_part(runs.store, f"{PLACE}part_9", head(runs).table)
    execution = runs.ctas(raised(head(runs).table), place=PLACE)
    manifest = f"{keys.QUERY_RESULTS}m.csv"
    runs.store.put(manifest, f"s3://{BUCKET}/{PLACE}part_0\n".encode())
    runs.by_hand(replace(execution, manifest=f"s3://{BUCKET}/{manifest}"))
    assert runs.receipt(run_of(execution)).status == "committed"
    assert parts_left(runs) == [f"{PLACE}part_9"]


def test_a_master_that_changed_while_it_ran_leaves_unknown_what_it_read() -> None:
    runs = Runs()
    execution = ctas(runs)
    (receipt,) = runs.nets.by("ben").send(runs.nets.by("ben").edit(2, 1, volume=9.0))
    assert receipt.number == 2
    later = replace(execution, completed=runs.bench.clock())
    assert runs.by_hand(later) == "clean"
    assert runs.rule(run_of(execution)) == "sql.base"
    assert "Run it again" in runs.receipt(run_of(execution)).message
    assert (head(runs).number, parts_left(runs)) == (2, [])


def test_a_master_that_changed_after_it_is_merged_with() -> None:
    runs = Runs()
    execution = ctas(runs)
    for _ in range(3):
        runs.bench.clock()
    runs.nets.by("ben").send(runs.nets.by("ben").edit(2, 1, volume=9.0))
    assert runs.by_hand(execution) == "flatten"
    assert (runs.receipt(run_of(execution)).run["number"], head(runs).number) == (1, 3)
    assert volumes(runs) == [11.5, 1, None, 9.0]


@pytest.mark.parametrize("seconds", [-0.9, 0.0, 3.0])
def test_where_the_master_changed_beside_it_what_it_read_is_not_known(seconds: float) -> None:
    """The change came so many seconds after the query was submitted; it ran for five."""
    runs = Runs()
    begun = head(runs).blob.stat.modified - timedelta(seconds=seconds)
    execution = ctas(runs, submitted=begun, completed=begun + timedelta(seconds=5))
    runs.by_hand(execution)
    assert refused(runs, execution) == "sql.base"


def test_a_query_that_athena_does_not_know_to_have_ended_is_asked_for_again() -> None:
    runs = Runs()
    execution = ctas(runs)
    with pytest.raises(Contended, match="still says RUNNING"):
        runs.by_hand(replace(execution, state="RUNNING"))
    assert runs.by_hand(execution) == "flatten"


def test_before_the_first_commit_there_was_nothing_to_read() -> None:
    runs = Runs()
    version = next(iter(runs.store.versions(keys.master(NAME))))
    before = version.modified - timedelta(seconds=10)
    execution = ctas(runs, submitted=before, completed=before + timedelta(seconds=2))
    runs.by_hand(execution)
    assert refused(runs, execution) == "sql.base"


def test_a_master_that_was_deleted_and_put_back_while_it_ran_is_another() -> None:
    runs = Runs()
    body = head(runs).blob
    runs.store.delete(keys.master(NAME))
    for _ in range(3):
        runs.bench.clock()
    begun = runs.bench.clock()
    ended = runs.bench.clock()
    for _ in range(3):
        runs.bench.clock()
    runs.store.put(keys.master(NAME), body.body, metadata=body.stat.metadata)
    execution = ctas(runs, submitted=begun, completed=ended)
    runs.by_hand(execution)
    assert runs.rule(run_of(execution)) == "sql.base"


def test_a_master_that_was_written_past_towline_is_no_base() -> None:
    runs = Runs()
    put_part(runs.store, keys.master(NAME), head(runs).table)
    execution = ctas(runs)
    runs.by_hand(execution)
    assert runs.rule(run_of(execution)) == "sql.base"
    assert [record["kind"] for record in records(runs.nets)] == ["create", "external"]


def test_a_query_whose_times_are_not_told_has_no_base() -> None:
    runs = Runs()
    execution = ctas(runs, submitted=None)
    runs.by_hand(execution)
    assert refused(runs, execution) == "sql.base"


def test_a_statement_too_long_for_the_audit_record_is_refused() -> None:
    runs = Runs()
    execution = ctas(runs)
    runs.by_hand(replace(execution, statement=f"{execution.statement} WHERE 'é{'é' * MAX_STATEMENT}' = ''"))
    assert refused(runs, execution) == "sql.length"
    assert parts_left(runs) == []


def test_parts_in_a_place_without_a_name_are_nobodys_in_particular() -> None:
    runs = Runs()
    execution = runs.ctas(raised(head(runs).table), place=f"{keys.by_hand(NAME)}shift/")
    runs.by_hand(execution)
    assert (runs.receipt(run_of(execution)).status, runs.receipt(run_of(execution)).user) == ("committed", "unknown")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM nets",
        "CREATE TABLE t AS SELECT 1 AS x",
        "CREATE TABLE t WITH (external_location = 's3://elsewhere/sql/nets/next/ana/a/') AS SELECT 1 AS x",
        "CREATE TABLE t WITH (external_location = 's3://towline/data/nets/') AS SELECT 1 AS x",
        "CREATE TABLE t WITH (external_location = 's3://towline/sql/nets/01K/next/1/') AS SELECT 1 AS x",
        "CREATE TABLE t WITH (external_location = 's3://towline/sql/others/next/ana/a/') AS SELECT 1 AS x",
        "CREATE TABLE t WITH (external_location = 's3://towline-2/sql/nets/next/ana/a/') AS SELECT 1 AS x",
        "CREATE EXTERNAL TABLE t (x int) LOCATION 's3://towline/sql/nets/next/ana/a/'",
        "this is no SQL (",
        "",
        "(" * 5_000,
    ],
)
def test_any_other_query_is_nothing_to_towline(statement: str) -> None:
    runs = Runs()
    before = sorted(entry.key for entry in runs.store.list(""))
    assert runs.by_hand(Execution("hand-1", "SUCCEEDED", statement)) == "none"
    assert sorted(entry.key for entry in runs.store.list("")) == before


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("sql/nets/next/ana/shift", adopting.ByHand("nets", "ana", "sql/nets/next/ana/shift/")),
        ("sql/nets/next/AROA:ana@example.org/a/b/", adopting.ByHand("nets", "AROA:ana@example.org", "sql/nets/next/AROA:ana@example.org/a/b/")),  # noqa: E501
        ("sql/nets/next/shift/", adopting.ByHand("nets", "", "sql/nets/next/shift/")),
    ],
)  # fmt: skip
def test_the_place_says_whose_it_is(place: str, found: adopting.ByHand) -> None:
    statement = f"CREATE TABLE t WITH (EXTERNAL_LOCATION='s3://{BUCKET}/{place}', format='ORC') AS SELECT 1 AS x"
    assert adopting.place_of(statement, BUCKET) == found


@pytest.mark.parametrize(
    ("statement", "note"),
    [
        ("-- note: why\nCREATE", "why"),
        ("  --NOTE:  why  \nCREATE", "why"),
        ("-- note:\nCREATE", "CTAS by hand in Athena"),
        ("/* note: why */ CREATE", "CTAS by hand in Athena"),
        ("CREATE -- note: why", "CTAS by hand in Athena"),
    ],
)
def test_a_leading_comment_is_the_note(statement: str, note: str) -> None:
    assert adopting.note_of(statement) == note
