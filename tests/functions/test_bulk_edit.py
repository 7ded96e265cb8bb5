"""The steps of the state machine and the words of authors, as the functions take them, over moto."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import boto3
import pytest

from tests.core.nets import NAME
from tests.functions.deployed import Deployed, batch, fifo_batch
from tests.functions.functions import CONTEXT, example, load
from tests.runs import put_part
from towline import keys, receipts
from towline.aws.machine import name
from towline.errors import NotFound
from towline.receipts import PREVIEWED, Receipt

RAISE = "UPDATE master SET volume = volume + 1 WHERE tow = 1"


class Editing:
    """A dataset that is edited by SQL: the functions beside those of `deployed`, and the executions so far."""

    def __init__(self, deployed: Deployed) -> None:
        self.deployed = deployed
        deployed.create()
        boto3.client("glue", region_name="us-east-1").create_database(DatabaseInput={"Name": "towline"})
        self.functions = {"bulk_edit": load("bulk_edit"), "flatten": load("flatten")}
        self.machine = boto3.client("stepfunctions", region_name="us-east-1")

    @property
    def executions(self) -> list[str]:
        found = self.machine.list_executions(stateMachineArn=self.deployed.environment["STATE_MACHINE_ARN"])
        return [one["name"] for one in found["executions"]]

    def send(self, statement: str, *, preview: bool = False) -> tuple[keys.Run, dict[str, Any]]:
        """An edit that ValidateProposal has seen; the event record of it."""
        draft = self.deployed.dataset.sql(statement, "why", preview=preview)
        ticket = self.deployed.dataset.send(draft)
        return keys.Run(NAME, ticket.proposal), self.arrives(f"{ticket.proposal}.sql.json")

    def say(self, run: keys.Run, word: str, **said: str) -> dict[str, Any]:
        about = {"format": "towline.word/v1", "dataset": NAME, "proposal": run.id, **said}
        file = f"{run.id}.{word}.json"
        key = keys.inbox(NAME, self.deployed.dataset.principal, file)
        self.deployed.bench.store.put(key, json.dumps(about).encode())
        return self.arrives(file)

    def arrives(self, file: str) -> dict[str, Any]:
        """Tell ValidateProposal of an object in the author's inbox."""
        record = self.deployed.event_of(keys.inbox(NAME, self.deployed.dataset.principal, file))
        self.tell(record)
        return record

    def tell(self, record: dict[str, Any]) -> None:
        assert self.deployed.validate.handler(batch(record), CONTEXT) == {"batchItemFailures": []}

    def step(self, run: keys.Run, step: str, **more: Any) -> dict[str, Any]:
        """One step of BulkEdit, with an answer that Step Functions can carry."""
        event = {"step": step, "dataset": run.dataset, "run": run.id, **more}
        answer: dict[str, Any] = json.loads(json.dumps(self.functions["bulk_edit"].handler(event, CONTEXT)))
        return answer

    def queried(self, run: keys.Run) -> None:
        """Everything up to Check, with the base as the query's result, in which one cell is another."""
        plan = self.step(run, "pin", execution="one")
        assert plan["decision"] == "query"
        table = self.deployed.dataset.table()[1]
        volumes = [20.5, *table["volume"].to_pylist()[1:]]
        place = table.schema.get_field_index("volume")
        changed = table.set_column(place, table.schema.field(place), [volumes])
        put_part(self.deployed.bench.store, f"{plan['prefix']}part_0", changed)  # type: ignore[arg-type]
        event = {"dataset": NAME, "run": run.id, "prefix": plan["prefix"], "manifest": None}
        assert self.functions["flatten"].handler(event, CONTEXT)["rows"] == 4

    def check(self, run: keys.Run) -> str:
        query = {"query_id": "q", "scanned_bytes": 1_234, "engine_ms": 12}
        return str(self.step(run, "check", query=query)["decision"])

    def receipt(self, run: keys.Run) -> Receipt:
        found = receipts.load(self.deployed.bench.store, NAME, run.id)
        assert found is not None
        return found

    def left(self, run: keys.Run) -> set[str]:
        return {entry.key.removeprefix(run.prefix) for entry in self.deployed.bench.store.list(run.prefix)}


@pytest.fixture
def editing(deployed: Deployed) -> Editing:
    return Editing(deployed)


@pytest.fixture
def answered(editing: Editing, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """The tokens that were answered, and how; moto takes every answer."""
    told: list[tuple[str, dict[str, Any]]] = []

    def watch(function: ModuleType) -> None:
        machine = function.runtime.machine
        send = machine.client.send_task_success

        def sent(**given: Any) -> Any:
            told.append((given["taskToken"], json.loads(given["output"])))
            return send(**given)

        monkeypatch.setattr(machine.client, "send_task_success", sent)

    for function in (editing.deployed.validate, editing.deployed.apply, editing.functions["bulk_edit"]):
        watch(function)
    return told


def test_an_edit_goes_to_the_state_machine_once_and_through_its_steps_to_the_commit(
    editing: Editing, answered: list[tuple[str, dict[str, Any]]]
) -> None:
    run, record = editing.send(RAISE)
    assert editing.executions == [name(run)]
    editing.tell(record)
    assert editing.executions == [name(run)]
    assert editing.deployed.queued("APPLY_QUEUE_URL") == []
    editing.queried(run)
    assert editing.check(run) == "promote"
    assert editing.step(run, "await_commit", token="t-1") == {"status": "accepted"}
    (message,) = editing.deployed.queued("APPLY_QUEUE_URL")
    assert answered == []
    assert editing.deployed.apply.handler(fifo_batch(message), CONTEXT) == {"batchItemFailures": []}
    assert (editing.receipt(run).status, editing.receipt(run).number) == ("committed", 2)
    assert answered == [("t-1", {"status": "committed"})]
    assert editing.step(run, "clean")["deleted"] > 0
    assert editing.left(run) == {"run.json", "preview.json"}


def test_a_preview_waits_for_its_authors_word(editing: Editing, answered: list[tuple[str, dict[str, Any]]]) -> None:
    run, _ = editing.send(RAISE, preview=True)
    editing.queried(run)
    assert editing.check(run) == "wait"
    assert editing.step(run, "await_word", token="t-1") == {"status": PREVIEWED}
    assert answered == []
    editing.say(run, "promote", effect="0" * 64)
    assert (answered, editing.receipt(run).status) == ([], PREVIEWED)
    editing.say(run, "promote", effect=str(editing.receipt(run).run["effect"]))
    assert answered == [("t-1", {"word": "promote"})]
    assert editing.receipt(run).status == "accepted"
    assert editing.step(run, "await_word", token="t-2") == {"status": "accepted"}
    assert answered[1:] == [("t-2", {"status": "accepted"})], "said before it waited"


def test_a_word_without_an_execution_that_waits_takes_the_run_up(editing: Editing) -> None:
    run, _ = editing.send(RAISE, preview=True)
    editing.queried(run)
    editing.check(run)
    first = editing.machine.list_executions(stateMachineArn=editing.deployed.environment["STATE_MACHINE_ARN"])
    editing.machine.stop_execution(executionArn=first["executions"][0]["executionArn"])
    editing.say(run, "promote", effect=str(editing.receipt(run).run["effect"]))
    assert sorted(editing.executions) == [name(run), name(run, 2)]


def test_reconcile_takes_up_runs_whose_execution_is_gone(editing: Editing) -> None:
    run, _ = editing.send(RAISE)
    editing.queried(run)
    editing.deployed.reconcile.handler(example("reconcile.all"), CONTEXT)
    assert editing.executions == [name(run)], "it is running"
    first = editing.machine.list_executions(stateMachineArn=editing.deployed.environment["STATE_MACHINE_ARN"])
    editing.machine.stop_execution(executionArn=first["executions"][0]["executionArn"])
    editing.deployed.reconcile.handler(example("reconcile.all"), CONTEXT)
    assert sorted(editing.executions) == [name(run), name(run, 2)]


def test_a_state_that_failed_is_told_and_a_fault_is_counted(
    editing: Editing, capsys: pytest.CaptureFixture[str]
) -> None:
    run, _ = editing.send(RAISE)
    status = {"State": "FAILED", "StateChangeReason": "DIVISION_BY_ZERO: / by zero"}
    cause = json.dumps({"QueryExecution": {"QueryExecutionId": "q", "Status": status}})
    failed = {"Error": "States.TaskFailed", "Cause": cause}
    assert editing.step(run, "refuse", error=failed) == {"rule": "sql.query"}
    assert editing.receipt(run).message == "1 violation: DIVISION_BY_ZERO: / by zero"
    assert "RunsFailed" not in capsys.readouterr().out
    other, _ = editing.send(RAISE)
    assert editing.step(other, "refuse", error={"Error": "States.DataLimitExceeded"}) == {"rule": "sql.fault"}
    assert '"RunsFailed":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_a_base_is_pinned_and_the_statements_are_told(editing: Editing) -> None:
    run, _ = editing.send(RAISE)
    event = example("bulk_edit.pin") | {"dataset": NAME, "run": run.id}
    answer = editing.functions["bulk_edit"].handler(event, CONTEXT)
    assert (answer["decision"], answer["prefix"]) == ("query", f"{run.next}1/")
    assert answer["create"].startswith("CREATE EXTERNAL TABLE")
    assert f"s3://towline/{run.next}1/" in answer["rewrite"]
    assert min(len(answer["create_token"]), len(answer["rewrite_token"])) >= 32, "as Athena wants them"
    assert editing.functions["bulk_edit"].handler(event, CONTEXT) == answer


def test_a_discarded_run_is_over(editing: Editing) -> None:
    run, _ = editing.send(RAISE)
    editing.say(run, "discard")
    assert (editing.receipt(run).status, editing.receipt(run).message) == ("rejected", "discarded by its author")


def test_the_example_event_is_the_first_step_of_an_edit_that_nobody_sent(editing: Editing) -> None:
    with pytest.raises(NotFound, match="no receipt"):
        editing.functions["bulk_edit"].handler(example("bulk_edit.pin"), CONTEXT)
