"""What starts and goes on with the state machine of SQL edits, and its own steps, over moto."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import boto3
import pytest

from tests.core.nets import NAME
from tests.functions.test_handlers import CONTEXT, Deployed, batch, deployed, example, load
from towline import keys, receipts, runs
from towline.errors import NotFound
from towline.receipts import Receipt

__all__ = ["deployed"]

RAISE = "UPDATE master SET volume = volume + 1 WHERE tow = 1"


@pytest.fixture
def app(deployed: Deployed) -> ModuleType:
    deployed.create()
    return load("bulk_edit")


def sent(deployed: Deployed) -> keys.Run:
    """An edit that was validated."""
    draft = deployed.dataset.sql(RAISE, "because")
    record = deployed.put(draft)
    for _ in range(2):
        assert deployed.validate.handler(batch(record), CONTEXT) == {"batchItemFailures": []}
    return keys.Run(NAME, draft.proposal)


def executions(deployed: Deployed) -> list[str]:
    states = boto3.client("stepfunctions", region_name="us-east-1")
    found = states.list_executions(stateMachineArn=deployed.environment["STATE_MACHINE_ARN"])["executions"]
    return [each["name"] for each in found]


def receipt_of(deployed: Deployed, run: keys.Run) -> Receipt:
    found = receipts.load(deployed.bench.store, run.dataset, run.id)
    assert found is not None
    return found


def step(app: ModuleType, name: str, run: keys.Run, **more: object) -> dict[str, Any]:
    answer: dict[str, Any] = app.handler({"step": name, "dataset": run.dataset, "run": run.id, **more}, CONTEXT)
    return answer


def test_an_edit_by_sql_starts_one_execution_and_is_not_queued(deployed: Deployed, app: ModuleType) -> None:
    run = sent(deployed)
    assert receipt_of(deployed, run).status == "accepted"
    assert executions(deployed) == [f"{NAME}.{run.id}"]
    assert deployed.queued("APPLY_QUEUE_URL") == []


def test_a_base_is_pinned_and_the_statements_are_told(deployed: Deployed, app: ModuleType) -> None:
    run = sent(deployed)
    event = example("bulk_edit.pin") | {"dataset": NAME, "run": run.id}
    answer = app.handler(event, CONTEXT)
    assert (answer["decision"], answer["prefix"]) == ("query", f"{run.next}1/")
    assert answer["create"].startswith("CREATE EXTERNAL TABLE")
    assert f"s3://towline/{run.next}1/" in answer["rewrite"]
    assert min(len(answer["create_token"]), len(answer["rewrite_token"])) >= 32
    assert deployed.bench.store.head(run.base).size > 0
    assert app.handler(event, CONTEXT) == answer


def test_a_run_that_nobody_sent_is_a_fault(app: ModuleType) -> None:
    with pytest.raises(NotFound, match="no receipt of proposal"):
        app.handler(example("bulk_edit.pin"), CONTEXT)


def test_a_state_that_failed_is_refused_and_cleared_up(deployed: Deployed, app: ModuleType) -> None:
    run = sent(deployed)
    step(app, "pin", run, execution="e1")
    error = {"Error": "Lambda.Unknown", "Cause": "out of memory"}
    assert step(app, "refuse", run, error=error) == {"rule": "sql.fault"}
    refused = receipt_of(deployed, run)
    assert (refused.status, refused.violations[0]["rule"]) == ("rejected", "sql.fault")
    assert "out of memory" in refused.message
    boto3.client("glue", region_name="us-east-1").create_database(DatabaseInput={"Name": "towline"})
    assert step(app, "clean", run)["deleted"] == 1
    assert [entry.key for entry in deployed.bench.store.list(run.prefix)] == [run.state]


def test_what_waits_for_its_commit_is_queued_under_its_token(deployed: Deployed, app: ModuleType) -> None:
    run = sent(deployed)
    assert step(app, "await_commit", run, token="token") == {"status": "accepted"}
    (message,) = deployed.queued("APPLY_QUEUE_URL")
    assert message["receipt"]["proposal"] == run.id


def test_a_discarded_run_is_over(deployed: Deployed, app: ModuleType) -> None:
    run = sent(deployed)
    runs.discard(deployed.dataset, run.id)
    record = deployed.event_of(keys.inbox(NAME, deployed.dataset.principal, f"{run.id}.discard.json"))
    assert deployed.validate.handler(batch(record), CONTEXT) == {"batchItemFailures": []}
    over = receipt_of(deployed, run)
    assert (over.status, over.message) == ("rejected", "discarded by its author")
