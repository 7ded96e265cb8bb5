"""The definition of the state machine, held against the template, the code and itself."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from tests.core.nets import NAME
from tests.infra.template import Template
from tests.runs import BUCKET, Runs
from towline import errors, keys, resources
from towline.bulk import adopting, checking, pinning

TEXT = resources.path("statemachines", "bulk_edit.asl.json").read_text()
TEMPLATE = Template()
MACHINE = TEMPLATE.resources["BulkEditMachine"]["Properties"]
# Placeholders may stand for numbers, so they are filled in before the text is JSON.
STATES: dict[str, dict[str, Any]] = json.loads(re.sub(r"\$\{\w+\}", "1", TEXT))["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
# What Step Functions itself raises (Amazon States Language, Appendix A) and the Lambda integration does.
OF_STEP_FUNCTIONS = {"States.ALL", "States.Timeout", "States.TaskFailed"}
OF_LAMBDA = {
    "ServiceException",
    "AWSLambdaException",
    "SdkClientException",
    "TooManyRequestsException",
    "ClientExecutionTimeoutException",
    "Unknown",
}
OF_A_WORKER = {"Runtime.ExitError", "Sandbox.Timedout"}


def targets(state: dict[str, Any]) -> Iterator[str]:
    """All states that one can lead to."""
    for part in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        yield from (part[name] for name in ("Next", "Default") if name in part)


def texts(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node


def test_every_target_is_a_state_and_every_state_can_be_reached() -> None:
    start = json.loads(re.sub(r"\$\{\w+\}", "1", TEXT))["StartAt"]
    seen, todo = set(), [start]
    while todo:
        if (name := todo.pop()) not in seen:
            seen.add(name)
            todo += targets(STATES[name])
    assert seen == set(STATES)


def test_every_state_ends_or_goes_on() -> None:
    for name, state in STATES.items():
        ends = state.get("End") or state["Type"] in ("Succeed", "Fail")
        assert ends or list(targets(state)), name


def test_every_placeholder_is_filled_in_by_the_template_and_none_is_left_over() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", TEXT))
    assert used == set(MACHINE["DefinitionSubstitutions"])


@pytest.mark.parametrize("name", TASKS)
def test_every_task_calls_what_there_is(name: str) -> None:
    resource = TASKS[name]["Resource"]
    service, operation = resource.removeprefix("arn:aws:states:::").split(":")
    base, _, pattern = operation.partition(".")
    model = botocore.session.get_session().get_service_model(service)
    assert base[0].upper() + base[1:] in model.operation_names
    assert pattern in ("", "sync", "waitForTaskToken")
    known = set(model.operation_model(base[0].upper() + base[1:]).input_shape.members)
    assert {parameter.removesuffix(".$") for parameter in TASKS[name]["Parameters"]} <= known
    if pattern == "waitForTaskToken":
        assert TASKS[name]["Parameters"]["Payload"]["token.$"] == "$$.Task.Token"
        assert "TimeoutSeconds" in TASKS[name], "or a lost token would hold it for a year"


@pytest.mark.parametrize("name", [n for n, task in TASKS.items() if "lambda" in task["Resource"]])
def test_every_step_exists_and_is_given_what_it_reads(name: str) -> None:
    text = resources.path("functions", "bulk_edit", "app.py").read_text()
    payload = TASKS[name]["Parameters"]["Payload"]
    given = {key.removesuffix(".$") for key in payload}
    if "step" not in payload:
        text = resources.path("functions", "flatten", "app.py").read_text()
        assert set(re.findall(r'event\["(\w+)"\]', text)) | set(re.findall(r'event.get\("(\w+)"', text)) == given
        return
    found = re.search(rf"^def {payload['step']}\((?:run, )?event\):\n(.*?)^(?:def|STEPS)", text, re.S | re.M)
    assert found, f"there is no step {payload['step']}"
    assert set(re.findall(r'event\["(\w+)"\]', found[1])) <= given - {"step", "dataset", "run"}
    assert payload["step"] == "adopt" or {"dataset", "run"} <= given


def test_a_path_reads_what_a_state_before_it_wrote() -> None:
    """Names at the root are the input's or some ResultPath's; below `plan`, what pin and adopt answer."""
    written = {"detail", "dataset", "run", "plan"}
    written |= {state["ResultPath"].removeprefix("$.") for state in STATES.values() if state.get("ResultPath")}
    written |= {catch["ResultPath"].removeprefix("$.") for task in TASKS.values() for catch in task.get("Catch", ())}
    answers = inspect.getsource(pinning) + inspect.getsource(adopting)
    for name, state in STATES.items():
        for text in texts({key: value for key, value in state.items() if key not in ("ResultSelector", "Comment")}):
            if not re.match(r"\$\.\w", text):
                continue
            first, *below = text.removeprefix("$.").split(".")
            assert first in written, (name, text)
            assert first != "plan" or not below or re.search(rf'"{below[0]}"|{below[0]}=', answers), (name, text)


def test_every_decision_that_is_looked_for_is_made() -> None:
    made = {pinning.CLEAN, pinning.CHECK, pinning.FLATTEN, pinning.QUERY, adopting.NONE, adopting.CLEAN}
    made |= {checking.CLEAN, checking.WAIT, checking.PROMOTE}
    asked = {
        choice["StringEquals"]
        for state in STATES.values()
        for choice in state.get("Choices", ())
        if "StringEquals" in choice
    }
    assert asked <= made
    assert made - asked == {"clean"}, "which is the default everywhere"


def test_every_error_that_is_waited_for_exists() -> None:
    ours = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    athena = botocore.session.get_session().get_service_model("athena")
    for name, task in TASKS.items():
        for each in (*task.get("Retry", ()), *task.get("Catch", ())):
            for error in each["ErrorEquals"]:
                service, _, kind = error.rpartition(".")
                known = error in OF_STEP_FUNCTIONS | OF_A_WORKER or (service == "Lambda" and kind in OF_LAMBDA)
                known = (
                    known
                    or (not service and kind in ours)
                    or (service == "Athena" and kind in {shape.name for shape in athena.error_shapes})
                )
                assert known, (name, error)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_tries_again_and_catches_everything(name: str) -> None:
    task = TASKS[name]
    assert "States.ALL" in [error for catch in task["Catch"] for error in catch["ErrorEquals"]]
    (retry,) = task["Retry"]
    throttled = "Athena.TooManyRequestsException" if "athena" in task["Resource"] else "Lambda.TooManyRequestsException"
    assert throttled in retry["ErrorEquals"]
    assert retry["BackoffRate"] > 1
    assert retry["JitterStrategy"] == "FULL"
    lost = {"Runtime.ExitError", "Sandbox.Timedout", "Lambda.Unknown"}
    assert "athena" in task["Resource"] or lost <= set(retry["ErrorEquals"]), (
        "a step that lost its worker is taken again"
    )


def test_a_run_by_hand_is_taken_up_with_the_plan_that_it_was_adopted_with() -> None:
    """Both lead to FlattenByHand and CheckByHand, which read the same of either."""
    read = {text.removeprefix("$.plan.") for name in ("FlattenByHand", "CheckByHand") for text in texts(STATES[name])}
    read = {name for name in read if not name.startswith("$") and name in ("prefix", "manifest", "query")}
    runs = Runs()
    execution = runs.ctas(place=keys.by_hand(NAME, "ana", "shift"))
    adopted = adopting.adopt(runs.bench, execution, BUCKET, "one")
    taken_up = pinning.pin(runs.bench, keys.Run(NAME, execution.id), "other", BUCKET)
    for plan in (adopted, taken_up):
        assert plan["decision"] == "flatten"
        assert read == {"prefix", "manifest", "query"} <= plan.keys()
