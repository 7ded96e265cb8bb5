"""Step Functions waits for the local Athena; each change of a query is an event; what a stop of the stack leaves."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.local import athena as shared
from tests.local.athena import Athena
from tests.local_stack import SMALL, again, eventually, running
from towline.local import stack as stacks
from towline.local.athena.workflow import Clock

athena_of_the_stack, endless = shared.athena_of_the_stack, shared.endless

ARN = "arn:aws:states:::athena:"
ROLE = "arn:aws:iam::000000000000:role/any"


def machine(athena: Athena, query: str, **state: Any) -> str:
    """Start a state machine that runs one query and waits for it; the execution's ARN."""
    task = {
        "Type": "Task",
        "Resource": f"{ARN}startQueryExecution.sync",
        "Parameters": {
            "QueryString": query,
            "QueryExecutionContext": {"Database": athena.database},
            "ResultConfiguration": {"OutputLocation": athena.at("results/")},
        },
        "End": True,
        **state,
    }
    made = athena.states.create_state_machine(
        name=f"m{uuid.uuid4().hex}",
        roleArn=ROLE,
        definition=json.dumps({"StartAt": "Query", "States": {"Query": task}}),
    )
    return str(athena.states.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"])


def over(athena: Athena, arn: str) -> dict[str, Any]:
    def done() -> dict[str, Any] | None:
        found: dict[str, Any] = athena.states.describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None

    return eventually(done)


def test_a_state_machine_waits_for_a_query(athena: Athena) -> None:
    ended = over(athena, machine(athena, "SELECT count(*) FROM hauls"))
    assert ended["status"] == "SUCCEEDED"
    found = json.loads(ended["output"])["QueryExecution"]
    assert found["Status"]["State"] == "SUCCEEDED"
    assert found["Status"]["CompletionDateTime"] >= found["Status"]["SubmissionDateTime"] > 1e12


def test_a_query_that_fails_fails_its_state_with_all_that_is_known_of_it(athena: Athena) -> None:
    ended = over(athena, machine(athena, "SELECT * FROM nowhere"))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    status = json.loads(ended["cause"])["QueryExecution"]["Status"]
    assert status["AthenaError"]["ErrorMessage"].startswith("TABLE_NOT_FOUND: line 1:15")


@pytest.fixture
def events(athena: Athena) -> Iterator[Any]:
    """Reads the details of the state changes so far of one query."""
    name = f"q{uuid.uuid4().hex}"
    url = athena.sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = athena.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    athena.events.put_rule(Name=name, EventPattern=json.dumps({"detail-type": ["Athena Query State Change"]}))
    athena.events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    seen: list[dict[str, Any]] = []

    def of(query_id: str, count: int) -> list[dict[str, Any]]:
        def enough() -> list[dict[str, Any]] | None:
            messages = athena.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            seen.extend(json.loads(message["Body"]) for message in messages)
            found = [one["detail"] for one in seen if one["detail"]["queryExecutionId"] == query_id]
            return found if len(found) >= count else None

        return sorted(eventually(enough), key=lambda detail: int(detail["sequenceNumber"]))

    yield of
    athena.events.remove_targets(Rule=name, Ids=["1"])
    athena.events.delete_rule(Name=name)
    athena.sqs.delete_queue(QueueUrl=url)


def test_every_change_of_state_is_an_event(athena: Athena, events: Any) -> None:
    found = events(athena.run("SELECT 1")["QueryExecutionId"], 3)
    assert [(one.get("previousState"), one["currentState"]) for one in found] == [
        (None, "QUEUED"),
        ("QUEUED", "RUNNING"),
        ("RUNNING", "SUCCEEDED"),
    ]
    assert {(one["workgroupName"], one["statementType"]) for one in found} == {("primary", "DML")}


def test_a_query_that_fails_or_is_stopped_says_so_in_its_events(athena: Athena, events: Any, endless: str) -> None:
    failed = events(athena.start("SELECT * FROM nowhere"), 3)[-1]
    assert failed["currentState"] == "FAILED"
    assert failed["athenaError"]["errorMessage"].startswith("TABLE_NOT_FOUND")
    stopped = shared.running_now(athena, endless)
    athena.athena.stop_query_execution(QueryExecutionId=stopped)
    assert [one["currentState"] for one in events(stopped, 3)] == ["QUEUED", "RUNNING", "CANCELLED"]


def test_a_request_that_athena_refuses_fails_the_state_by_its_name(athena: Athena) -> None:
    ended = over(athena, machine(athena, " "))
    assert (ended["status"], ended["error"]) == ("FAILED", "Athena.InvalidRequestException")


def query_of(athena: Athena, query: str) -> str:
    """The id of the newest execution of a query, which must be running."""

    def look() -> str | None:
        listed = athena.athena.list_query_executions(WorkGroup="primary")["QueryExecutionIds"]
        found = [one for one in map(athena.look, listed) if one["Query"] == query]
        return found[0]["QueryExecutionId"] if found and found[0]["Status"]["State"] == "RUNNING" else None

    return eventually(look)


def test_stopping_an_execution_stops_its_query(athena: Athena, endless: str) -> None:
    query = f"{endless} WHERE a.n > 1"
    arn = machine(athena, query)
    query_id = query_of(athena, query)
    athena.states.stop_execution(executionArn=arn)
    assert athena.ended(query_id)["Status"]["State"] == "CANCELLED"
    assert over(athena, arn)["status"] == "ABORTED"


def test_a_state_whose_time_is_up_stops_its_query(athena: Athena, endless: str) -> None:
    query = f"{endless} WHERE a.n > 2"
    arn = machine(athena, query, TimeoutSeconds=1)
    query_id = query_of(athena, query)
    assert athena.ended(query_id)["Status"]["State"] == "CANCELLED"
    ended = over(athena, arn)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")


def test_a_query_is_started_looked_at_and_stopped_by_states_that_do_not_wait(athena: Athena, endless: str) -> None:
    started = json.loads(over(athena, machine(athena, endless, Resource=f"{ARN}startQueryExecution"))["output"])
    eventually(lambda: athena.look(started["QueryExecutionId"])["Status"]["State"] == "RUNNING")
    looked = machine(athena, endless, Resource=f"{ARN}getQueryExecution", Parameters=started)
    assert json.loads(over(athena, looked)["output"])["QueryExecution"]["Status"]["State"] == "RUNNING"
    over(athena, machine(athena, endless, Resource=f"{ARN}stopQueryExecution", Parameters=started))
    assert athena.ended(started["QueryExecutionId"])["Status"]["State"] == "CANCELLED"


def test_the_pause_before_the_first_state_is_left_out_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    clock = Clock()
    clock.sleep(0.15)
    clock.sleep(0.2)
    assert (slept, clock.monotonic) == ([0.2], time.monotonic)


def test_what_runs_when_the_stack_stops_has_failed_when_it_is_back(tmp_path: Path) -> None:
    with running(tmp_path) as info:
        mine = shared.own(info)
        mine.put("many/part", pa.table({"n": list(range(5000))}))
        mine.table("many", "n bigint", "many/")
        token = uuid.uuid4().hex
        counting = f"{shared.ENDLESS} WHERE a.n > 1"
        waiting = machine(mine, shared.ENDLESS)
        query_of(mine, shared.ENDLESS)
        query_id = mine.start(counting, ClientRequestToken=token)
        assert query_of(mine, counting) == query_id
        stacks.stop(tmp_path)
        back = shared.Athena(stacks.start(tmp_path, again(info, SMALL)), mine.database)
        status = back.look(query_id)["Status"]
        assert (status["State"], status["AthenaError"]["Retryable"]) == ("FAILED", True)
        assert "the local stack was stopped" in status["StateChangeReason"]
        assert back.states.describe_execution(executionArn=waiting)["status"] == "FAILED"
        assert back.start(counting, ClientRequestToken=token) != query_id
        assert back.rows("SELECT count(*) FROM many") == [["5000"]]
