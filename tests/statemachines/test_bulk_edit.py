"""The state machine of SQL edits on the local stack: every way through it, as an author meets it."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

import json

import pytest

from tests.e2e.researcher import CONTRACT
from tests.local_stack import eventually, invoke
from tests.statemachines.editing import ENDLESS, RAISE, Editor, running_queries
from towline import keys, receipts, runs, steward
from towline.errors import UsageError
from towline.local.stack import StackInfo
from towline.receipts import Receipt
from towline.reviews import APPROVE, REJECT

COLUMNS = ", ".join(CONTRACT.names)
FEWER = ", ".join(name for name in CONTRACT.names if name != "volume_filtered")


def test_an_update_is_committed_with_its_query_in_the_record(stack: StackInfo) -> None:
    ana = Editor(stack, "straight")
    before = ana.head().table.to_pylist()
    receipt = ana.done(RAISE)
    assert (receipt.status, receipt.kind, receipt.number) == ("committed", "sql", 2)
    raised = [{**row, "volume_filtered": row["volume_filtered"] * 2} if row["tow"] == 3 else row for row in before]
    assert ana.head().table.to_pylist() == raised
    record = ana.dataset.log()[0]
    assert (record["kind"], record["query"], record["user"]) == ("sql", RAISE, "ana")
    assert receipt.run["counts"]["rows_updated"] == record["rows_updated"] == sum(row["tow"] == 3 for row in before)
    ana.cleared(receipt.proposal)
    assert ana.executions(receipt.proposal) == ["SUCCEEDED"]


def test_a_preview_moves_nothing_until_it_is_promoted_once(stack: StackInfo) -> None:
    ana = Editor(stack, "previews")
    ticket = ana.previewed("DELETE FROM master WHERE tow = 4 AND net = 0")
    assert ana.head().number == 1
    shown = runs.look(ana.dataset, ticket.proposal)
    assert (shown.rows.before - shown.rows.after, shown.rows.deleted) == (1, 1)
    receipt = runs.promote(ana.dataset, ticket.proposal, shown.effect).wait(60)
    assert (receipt.status, receipt.number) == ("committed", 2)
    assert " ".join(str(step["status"]) for step in receipt.history) == (
        "accepted previewed accepted committing committed"
    )
    with pytest.raises(UsageError, match="does not wait for a word: it is committed"):
        runs.promote(ana.dataset, ticket.proposal)
    ana.cleared(ticket.proposal)
    assert ana.executions(ticket.proposal) == ["SUCCEEDED"]


def test_a_preview_that_is_discarded_leaves_nothing(stack: StackInfo) -> None:
    ana = Editor(stack, "discards")
    ticket = ana.previewed(RAISE)
    receipt = runs.discard(ana.dataset, ticket.proposal).wait(60)
    assert (receipt.status, receipt.message) == ("rejected", "discarded by its author")
    ana.cleared(ticket.proposal)
    assert ana.head().number == 1


def test_an_edit_that_is_under_way_is_stopped_by_its_author(stack: StackInfo) -> None:
    ana = Editor(stack, "stops")
    ticket = ana.sql(ENDLESS)
    eventually(lambda: running_queries(stack))
    receipt = runs.discard(ana.dataset, ticket.proposal).wait(60)
    assert (receipt.status, receipt.message) == ("rejected", "discarded by its author")
    ana.cleared(ticket.proposal)
    assert not running_queries(stack)


def test_an_edit_waits_for_stewards_where_the_policy_asks_them(stack: StackInfo) -> None:
    always = {"policy": "always"}
    ana, ben = Editor(stack, "reviewed", review=always), Editor(stack, "reviewed", "ben")
    edits = {APPROVE: ana.sql(RAISE), REJECT: ana.sql("DELETE FROM master WHERE tow = 4 AND net = 0")}
    for decision, ticket in edits.items():
        assert ticket.wait(60).status == "in_review"
        assert ana.executions(ticket.proposal) == ["RUNNING"]
        case = steward.look(ben.dataset, ticket.proposal)
        word = steward.say(ben.dataset, case, decision, "looked at it", case.effect)
        assert steward.outcome(ben.dataset, ticket.proposal, word).final
        ana.cleared(ticket.proposal)
        assert ana.executions(ticket.proposal) == ["SUCCEEDED"]
    assert [ticket.receipt().status for ticket in edits.values()] == ["committed", "rejected"]
    assert ana.head().number == 2


def test_a_query_that_athena_cannot_run_is_told_in_athenas_words(stack: StackInfo) -> None:
    ana = Editor(stack, "failing")
    ticket = ana.sql("UPDATE master SET tow = CAST(vessel AS bigint) WHERE tow = 4")
    receipt = ana.refused(ticket, "sql.query")
    assert "INVALID_CAST_ARGUMENT" in receipt.message
    assert {"query.json", "run.json", f"{ticket.proposal}.sql.json"} <= ana.kept(ticket)
    kept = next(e.key for e in ana.bench.store.list(f"{keys.QUARANTINE}failing/") if e.key.endswith("query.json"))
    assert "DataScannedInBytes" in json.loads(ana.bench.store.get(kept).body)["athena"]["Statistics"]


@pytest.mark.parametrize(
    ("name", "statement", "rule"),
    [
        (
            "doubled",
            f"SELECT {COLUMNS} FROM master UNION ALL SELECT {COLUMNS} FROM master WHERE tow = 4",
            "key.duplicate",
        ),
        ("emptied", f"SELECT {COLUMNS} FROM master WHERE tow < 0", "table.empty"),
        ("lossy", "DELETE FROM master WHERE tow > 2", "table.rows_deleted"),
        ("idle", "UPDATE master SET vessel = vessel", "change.nothing"),
        ("keyless", "INSERT INTO master (tow, net, vessel) VALUES (99, NULL, 'Aurora')", "key.null"),
    ],
)
def test_what_a_query_makes_is_checked(stack: StackInfo, name: str, statement: str, rule: str) -> None:
    ana = Editor(stack, name)
    ana.refused(ana.sql(statement), rule)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM master; DROP TABLE master",
        "DROP TABLE master",
        "DELETE FROM master /* ; */ WHERE tow = 4 --\n; DROP TABLE x",
        f"SELECT {FEWER} FROM master",
        "SELECT * FROM other_catalog.secrets.people",
        "UPDATE master SET colour = 'red'",
    ],
)
def test_what_must_not_be_run_is_refused_before_it_is(stack: StackInfo, statement: str) -> None:
    ana = Editor(stack, "guarded")
    receipt = ana.done(statement)
    assert (receipt.status, str(receipt.violations[0]["rule"]).split(".")[0]) == ("rejected", "sql"), receipt
    assert ana.executions(receipt.proposal) == []
    assert not list(ana.bench.store.list(keys.Run("guarded", receipt.proposal).prefix))
    assert ana.head().number == 1


def test_a_great_loss_waits_for_review_where_there_are_reviews(stack: StackInfo) -> None:
    ana = Editor(stack, "cautious", review={"policy": "when", "when": {"rows_deleted": 1000}})
    receipt = ana.done("DELETE FROM master WHERE tow > 2")
    assert receipt.status == "in_review"
    assert "rows are deleted" in " ".join(receipt.review["reasons"])


def test_what_was_committed_meanwhile_is_merged_or_asks(stack: StackInfo) -> None:
    ana, ben = Editor(stack, "meanwhile"), Editor(stack, "meanwhile", "ben")
    where = next(i for i, row in enumerate(ana.head().table.to_pylist()) if row["tow"] == 3)
    first = ana.row(where)["volume_filtered"]
    ticket = ana.previewed(RAISE)
    assert ben.send(ben.edit(where, vessel="Aurora")).wait().status == "committed"
    merged = runs.promote(ana.dataset, ticket.proposal).wait(60)
    assert (merged.status, merged.number) == ("committed", 3)
    row = ana.row(where)
    assert (row["vessel"], row["volume_filtered"]) == ("Aurora", first * 2)  # type: ignore[operator]
    ticket = ana.previewed(RAISE)
    assert ben.send(ben.edit(where, volume_filtered=1.5)).wait().status == "committed"
    asked = runs.promote(ana.dataset, ticket.proposal).wait(60)
    assert asked.status == "conflicted"
    assert ana.row(where)["volume_filtered"] == 1.5
    ana.cleared(ticket.proposal)


def test_two_edits_at_once_are_both_committed(stack: StackInfo) -> None:
    ana, ben = Editor(stack, "at_once"), Editor(stack, "at_once", "ben")
    tickets = [ana.sql(RAISE), ben.sql("UPDATE master SET vessel = 'Aurora' WHERE tow = 3")]
    assert [ticket.wait(60).status for ticket in tickets] == ["committed", "committed"]
    assert sorted({record["number"] for record in ana.dataset.log()})[0] == 1
    assert {record["proposal"] for record in ana.dataset.log()} >= {ticket.proposal for ticket in tickets}
    assert {row["vessel"] for row in ana.head().table.to_pylist() if row["tow"] == 3} == {"Aurora"}
    for ticket in tickets:
        ana.cleared(ticket.proposal)


def test_a_word_counts_from_the_author_only_and_on_what_they_saw(stack: StackInfo) -> None:
    ana, ben = Editor(stack, "words"), Editor(stack, "words", "ben")
    ticket = ana.previewed(RAISE)
    effect = ana.dataset.status(ticket.proposal).run["effect"]
    said = {"format": runs.WORD, "dataset": "words", "proposal": ticket.proposal}
    wrong = [
        (ben, ticket.proposal, {**said, "effect": effect}, "is ana's, and theirs to promote"),
        (ana, ticket.proposal, {**said, "effect": "0" * 64}, "look again"),
        (ana, "unheard-of", {**said, "proposal": "unheard-of", "effect": effect}, "nobody knows"),
        (ana, ticket.proposal, {**said, "colour": "red"}, "colour"),
    ]
    for who, proposal, word, message in wrong:
        who.put(f"{proposal}.promote.json", json.dumps(word).encode())
        receipt = answer(ana, f"{proposal}.promote")
        assert (receipt.status, receipt.user) == ("rejected", who.person)
        assert message in receipt.message
        ana.bench.store.delete(receipt.key)
    assert ana.dataset.status(ticket.proposal).status == "previewed"
    assert ana.head().number == 1
    runs.discard(ana.dataset, ticket.proposal).wait(60)
    ana.put(f"{ticket.proposal}.promote.json", json.dumps({**said, "effect": effect}).encode())
    assert "it is rejected" in answer(ana, f"{ticket.proposal}.promote").message


def answer(someone: Editor, proposal: str) -> Receipt:
    return eventually(lambda: receipts.load(someone.bench.store, someone.name, proposal))


def test_an_edit_whose_id_would_be_the_place_of_others_is_refused(stack: StackInfo) -> None:
    ana = Editor(stack, "reserved")
    receipt = ana.put("next.sql.json", ana.dataset.sql(RAISE, "because").body).wait(30)
    assert (receipt.status, receipt.violations[0]["rule"]) == ("rejected", "proposal.id")


def test_reconciling_leaves_runs_alone_that_are_under_way(stack: StackInfo) -> None:
    ana = Editor(stack, "calm")
    ticket = ana.previewed(RAISE)
    invoke(stack, "ReconcileFunction", {"since": None})
    assert ana.executions(ticket.proposal) == ["RUNNING"]
    assert ana.dataset.status(ticket.proposal).status == "previewed"
    assert runs.promote(ana.dataset, ticket.proposal).wait(60).number == 2
