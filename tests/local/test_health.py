"""How things are on a real local stack: fine, with dead letters, on a full disk, stopped in its tracks, and killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_stack import PROJECT, again, client, eventually, invoke, kill, outputs, running
from towline import connect, keys
from towline.aws.health import QUEUES, Queues
from towline.health.checkup import Checkup
from towline.health.fact import Fact, Health
from towline.local import stack as local
from towline.local.stack import StackInfo, stack_settings
from towline.reconcile import last_run

PROGRAMS = ("Python", "Streamlit", "PyArrow", "boto3", "Formats")  # asked for in this process


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """A stack of these tests' own: they fill its dead-letter queues, stop it, and kill it at last."""
    with running(tmp_path_factory.mktemp("health"), PROJECT) as info:
        yield info


def checkup(info: StackInfo, patience: float = 30.0) -> Checkup:
    return connect.checkup(connect.connect(stack_settings(info)), Path(info.data_dir), patience=patience)


def named(found: Health) -> dict[str, Fact]:
    return {fact.title: fact for fact in found.facts if fact.group != "versions"}


def test_a_stack_that_has_just_started_is_fine_in_all_respects(stack: StackInfo) -> None:
    found = checkup(stack).look()
    assert found.verdict() == "All is fine"
    facts = named(found)
    assert facts["Process"].values["pid"] == stack.pid
    functions = ["ApplyProposals", "BulkEdit", "Flatten", "IngestFile", "LoadDataset", "Reconcile", "SampleFile"]
    assert facts["Functions"].values["deployed"] == [*functions, "ValidateProposal"]
    assert facts["S3"].values["where"] == stack.endpoint
    assert facts["Versioning"].says == "enabled"
    assert facts["Disk"].values["data_dir"] == stack.data_dir
    assert int(str(facts["Disk"].values["used"])) > 0
    assert facts["Apply queue"].values == {"waiting": 0, "in_flight": 0}
    assert {"Stack", "Functions", "Towline"} <= {fact.name for fact in found.of("versions")}


def test_starting_a_stack_runs_reconcile_which_says_so(stack: StackInfo) -> None:
    run = last_run(connect.connect(stack_settings(stack)).bench.store)
    assert run is not None
    assert run.every.total_seconds() == 600
    named = {"validate": "Inbox", "apply": "Apply", "ingest": "Ingest", "sample": "Sample", "load": "Load"}
    assert run.queues == {name: outputs(stack)[f"{output}QueueUrl"] for name, output in named.items()}
    assert run.queues.keys() == QUEUES.keys()


def test_each_run_of_reconcile_writes_its_note_anew(stack: StackInfo) -> None:
    def versions() -> list[str]:
        listed = client(stack, "s3").list_object_versions(Bucket=stack.bucket, Prefix=keys.LAST_RUN)
        return [version["VersionId"] for version in listed["Versions"]]

    before = versions()
    invoke(stack, "ReconcileFunction", {"since": None})
    assert len(versions()) == len(before) + 1


def put_dead_letters(info: StackInfo) -> None:
    """One of each kind, which can never succeed."""
    sqs, found = client(info, "sqs"), outputs(info)
    for name in ("Inbox", "Ingest", "Sample", "Load"):
        sqs.send_message(QueueUrl=found[f"{name}DeadLettersUrl"], MessageBody='{"Records": []}')
    sqs.send_message(
        QueueUrl=found["ApplyDeadLettersUrl"], MessageBody="{}", MessageGroupId="nets", MessageDeduplicationId="1"
    )


def test_dead_letters_are_red_and_say_what_to_do_until_they_are_sent_again(stack: StackInfo) -> None:
    put_dead_letters(stack)
    found = checkup(stack).look()
    assert found.state == "red"
    for _, title, function in QUEUES.values():
        fact = named(found)[title]
        assert (fact.state, fact.values["messages"]) == ("red", 1)
        assert function in fact.do
    connection = connect.connect(stack_settings(stack))
    queues = Queues(connection.settings, connection.bench.store)
    assert [queues.redrive(name) for name in QUEUES] == [1] * 5
    assert [queues.redrive(name) for name in QUEUES] == [0] * 5
    again = named(checkup(stack).look())
    assert {again[title].state for _, title, _ in QUEUES.values()} == {"fine"}


def test_a_message_that_is_sent_again_is_not_taken_for_one_that_was_seen(stack: StackInfo) -> None:
    """SQS drops what it was sent in the last five minutes: then a dead letter that dies again would be lost."""
    connection = connect.connect(stack_settings(stack))
    queues, sqs, found = Queues(connection.settings, connection.bench.store), client(stack, "sqs"), outputs(stack)
    sent = []
    for number in ("first", "second"):
        letter = {"MessageBody": "{}", "MessageGroupId": "x", "MessageDeduplicationId": number}
        sqs.send_message(QueueUrl=found["ApplyDeadLettersUrl"], **letter)
        sent.append(queues.redrive("apply"))
    assert sent == [1, 1]

    def both() -> bool:
        fact = named(checkup(stack).look())["Apply queue"]
        return sum(int(str(each)) for each in fact.values.values()) >= 2

    assert eventually(both)


def test_a_disk_below_its_bound_is_red(stack: StackInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWLINE_MIN_FREE_MB", "999999999")
    fact = named(checkup(stack).look())["Disk"]
    assert (fact.state, fact.see) == ("red", "The disk is full")
    assert "nothing is written" in fact.says


def test_a_stack_that_hangs_leaves_everything_unknown_in_time_and_nothing_red(stack: StackInfo) -> None:
    os.kill(stack.pid, signal.SIGSTOP)
    try:
        found = checkup(stack, patience=0.5).look()
    finally:
        os.kill(stack.pid, signal.SIGCONT)
    asked = [fact for fact in found.facts if fact.name not in ("Towline", *PROGRAMS, "You")]
    assert {(fact.state, fact.says) for fact in asked} == {("unknown", "no answer within 0.5 s")}
    assert eventually(lambda: checkup(stack).look().of("stack")[0].state == "fine")


def test_of_a_stack_that_was_killed_it_is_said_how_to_start_it_and_what_the_disk_holds(stack: StackInfo) -> None:
    known = checkup(stack)
    known.look()
    kill(stack)
    facts = named(known.look())
    assert {name for name, fact in facts.items() if fact.state == "red"} == {"S3", "Process"}
    assert "towline up" in facts["S3"].do
    assert facts["Disk"].state == facts["You"].state == "fine"
    rest = [fact for name, fact in facts.items() if name not in ("S3", "Process", "Disk", "You", "Editor")]
    assert {(fact.state, fact.says) for fact in rest} == {("unknown", "it does not answer")}
    assert {"Datasets", "Reconcile", "Dead letters of apply"} <= {fact.name for fact in rest}


def test_a_start_forgets_the_notes_of_runs_long_ago(stack: StackInfo) -> None:
    """On AWS a lifecycle rule does that; here a version would be added every ten minutes, for ever."""
    local.start(Path(stack.data_dir), again(stack, PROJECT))
    listed = client(stack, "s3").list_object_versions(Bucket=stack.bucket, Prefix=keys.LAST_RUN)["Versions"]
    assert [version["IsLatest"] for version in listed] == [True, False], "of this start's run, and of the one before"
    assert eventually(lambda: checkup(stack).look().state != "red"), "it has just started, and may be slow to answer"
