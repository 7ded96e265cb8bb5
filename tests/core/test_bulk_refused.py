"""Edits by SQL that end without a commit, and why."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

import contextlib

import pyarrow as pa
import pytest

from tests.core.crashing import Crash
from tests.core.nets import NAME
from tests.core.raising import RAISE, SMALL, head, previewed, raised, refused_word, volumes
from tests.runs import Answer, Runs
from towline import keys
from towline.bulk import refusing
from towline.errors import Contended
from towline.violation import Report

# ------------------------------------------------------------------------------------------------------ wrong input


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE master SET volume = 1; DELETE FROM master", "sql.statements"),
        ("DROP TABLE master", "sql.verb"),
        ("/* UPDATE master SET volume = 1 */ DROP TABLE master", "sql.verb"),
        ("-- UPDATE\n", "sql.statements"),
        ("UPDATE master SET volume = (SELECT max(v) FROM elsewhere)", "sql.table"),
        ("UPDATE master SET nothing = 1", "sql.column"),
        ("SELECT tow, net FROM master", "sql.column"),
        (f"UPDATE master SET vessel = '{'x' * 70_000}'", "sql.length"),
    ],
)
def test_what_is_wrong_on_its_face_is_never_run(statement: str, rule: str) -> None:
    runs = Runs()
    run = runs.sql(statement)
    runs.pump()
    assert runs.rule(run) == rule
    assert (runs.left(run), runs.athena.ran) == (set(), {})
    assert runs.kept(run) == {f"{run.id}.sql.json", "report.json"}


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE master SET tow = 1", "key.duplicate"),
        ("UPDATE master SET net = NULL WHERE tow = 1", "key.null"),
        ("UPDATE master SET volume = -1 WHERE tow = 1", "constraint.minimum"),
        ("DELETE FROM master WHERE tow > 0", "table.empty"),
        ("DELETE FROM master WHERE tow = 1 OR net = 0", "table.rows_deleted"),
        ("UPDATE master SET volume = volume", "change.nothing"),
        ("UPDATE master SET volume = 1 WHERE tow = 99", "change.nothing"),
        ("UPDATE master SET volume = 1 / 0 WHERE tow = 1", "sql.query"),
    ],
)
def test_what_the_query_shows_to_be_wrong_is_refused_and_kept(statement: str, rule: str) -> None:
    runs = Runs()
    run = runs.sql(statement)
    runs.pump()
    assert runs.rule(run) == rule
    assert {f"{run.id}.sql.json", "report.json", "run.json", "query.json"} <= runs.kept(run)
    assert head(runs).number == 1
    assert (runs.left(run) <= SMALL, runs.athena.tables) == (True, set())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda base: base.drop_columns(["vessel"]), "vessel"),
        (lambda base: base.set_column(2, "volume", pa.array(["a", "b", "c", "d"])), "volume"),
        (lambda base: base.slice(0, 0), "no rows"),
    ],
    ids=["a column lost", "a type changed", "no rows"],
)
def test_parts_that_are_not_the_table_are_refused(answer: Answer, said: str) -> None:
    runs = Runs(answer=answer)
    receipt = runs.done(RAISE)
    assert (receipt.status, said in receipt.message) == ("rejected", True)
    assert runs.left(keys.Run(NAME, receipt.proposal)) <= SMALL


def test_a_result_that_was_exchanged_after_the_check_is_not_committed() -> None:
    runs = Runs(answer=raised)
    runs.held = True
    run = runs.sql(RAISE)
    runs.pump()
    runs.store.put(run.result, b"something else")
    runs.held = False
    runs.work()
    assert runs.rule(run) == "sql.result"
    assert "not what was checked" in runs.receipt(run).message


def test_a_commit_that_is_none_is_no_base() -> None:
    runs = Runs()
    assert runs.done(RAISE, base="01KJN2V0S0XXXXXXXXXXXXXXX9").status == "rejected"
    known = runs.nets.commit
    runs.nets.send(runs.nets.edit(2, 1, volume=9.0))
    receipt = runs.done(RAISE, base=known)
    assert (receipt.status, receipt.run["base"], receipt.run["number"]) == ("committed", known, 1)
    assert volumes(runs) == [11.5, 1, None, 9.0]


# --------------------------------------------------------------------------------------------------------- refusing


def test_a_preview_that_nobody_promotes_expires() -> None:
    runs = Runs()
    run = previewed(runs)
    runs.refuse(run, "States.Timeout", {}, waiting=True)
    assert runs.rule(run) == refusing.EXPIRED
    assert runs.left(run) == SMALL
    assert {"run.json", "preview.json", "query.json"} <= runs.kept(run)
    runs.word(run, "promote", effect=runs.receipt(run).run["effect"])
    assert "does not wait" in refused_word(runs, run, "promote")


def test_a_run_that_a_commit_claims_is_not_refused() -> None:
    """The commit may still land: then its receipt must be free for it."""
    runs = Runs(answer=raised)
    run = runs.sql(RAISE)

    def dies(operation: str, key: str, phase: str) -> None:
        if (operation, key, phase) == ("put", keys.master(NAME), "after"):
            raise Crash

    runs.store.faults = dies
    with contextlib.suppress(Crash):
        runs.pump()
    runs.store.faults = None
    assert runs.receipt(run).status == "committing"
    with pytest.raises(Contended, match="claims"):
        runs.refuse(run, "States.Timeout", {}, waiting=True)
    runs.recover()
    assert (runs.receipt(run).status, runs.left(run)) == ("committed", SMALL)


def test_a_final_receipt_is_not_refused() -> None:
    runs = Runs()
    receipt = runs.done(RAISE)
    told = len(runs.nets.pipeline.told)
    assert refusing.refuse(runs.bench, receipt, "sql.query", "too late") == receipt
    assert refusing.refuse_all(runs.bench, receipt, Report()) == receipt
    assert len(runs.nets.pipeline.told) == told


@pytest.mark.parametrize(
    ("error", "cause", "rule", "said"),
    [
        ("States.Timeout", "", refusing.TIMEOUT, "longer than it may"),
        (
            "States.TaskFailed",
            '{"QueryExecution": {"QueryExecutionId": "q", "Status": {"State": "CANCELLED"}}}',
            "sql.query",
            "the query was cancelled",
        ),
        (
            "UnreadableFile",
            '{"errorMessage": "part x is no table", "errorType": "UnreadableFile"}',
            "sql.result",
            "part x",
        ),
        ("KeyError", '{"errorMessage": "\'x\'", "errorType": "KeyError"}', refusing.FAULT, "x"),
        ("Athena.InvalidRequestException", "no such workgroup", refusing.FAULT, "no such workgroup"),
        ("Lambda.Unknown", "[]", refusing.FAULT, "Lambda.Unknown"),
        ("States.Runtime", "", refusing.FAULT, "States.Runtime"),
    ],
)
def test_what_step_functions_says_is_understood(error: str, cause: str, rule: str, said: str) -> None:
    failed = refusing.failure(error, cause)
    assert failed.rule == rule
    assert said in failed.message
