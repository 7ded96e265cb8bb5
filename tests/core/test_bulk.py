"""Edits by SQL from the inbox to the commit, step by step and whatever happens in between."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator

import pyarrow as pa
import pytest

from tests.core.nets import CONTRACT, NAME
from tests.core.reviewed import Reviewed
from tests.core.test_commit import check_promises, records
from tests.runs import BUCKET, Answer, Runs
from towline import keys, receipts
from towline import table as tables
from towline.bulk import checking, pinning, refusing, words
from towline.bulk import state as states
from towline.errors import Contended, Corrupt, NotFound
from towline.master import Head
from towline.memory import Fault
from towline.reconcile import reconcile
from towline.violation import Report

RAISE = "UPDATE master SET volume = volume + 1 WHERE tow = 1"
SMALL = {"run.json", "preview.json"}


class Crash(BaseException):
    """The process dies: nothing catches this."""


def raised(table: pa.Table) -> pa.Table:
    """What RAISE makes of the table."""
    rows = [{**row, "volume": row["volume"] + 1} if row["tow"] == 1 else row for row in table.to_pylist()]
    return tables.from_rows(rows, CONTRACT.schema)


def head(runs: Runs) -> Head:
    found = runs.nets.head()
    assert found is not None
    return found


def volumes(runs: Runs) -> list[float | None]:
    return [row["volume"] for row in head(runs).table.to_pylist()]


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


# ------------------------------------------------------------------------------------------------------ every crash


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


# ------------------------------------------------------------------------------------------------------------ words


def previewed(runs: Runs) -> keys.Run:
    run = runs.sql(RAISE, preview=True)
    runs.pump()
    return run


def refused_word(runs: Runs, run: keys.Run, word: str) -> str:
    """Why a word counts for nothing, as its own receipt says."""
    runs.pump()
    beside = receipts.load(runs.store, NAME, f"{run.id}.{word}")
    assert beside is not None
    assert (beside.status, beside.kind) == ("rejected", "word")
    assert runs.kept(keys.Run(NAME, beside.proposal)) == {f"{run.id}.{word}.json", "report.json"}
    return beside.message


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
