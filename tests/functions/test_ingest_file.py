"""The handler of raw files on its events, over moto: what it stores, tells and answers."""

from __future__ import annotations

import json
from threading import Barrier
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.functions.functions import CONTEXT, bucket, deliver, load, topic
from towline import keys
from towline.errors import Unavailable
from towline.inbox import Arrival
from towline.ingest import manifest, receive
from towline.ingest.entry import Entry
from towline.pipeline import registry
from towline.pipeline.registry import BrokenPipeline
from towline.store import Stat
from towline.workbench import Workbench

NAME = "sightings"


@pytest.fixture
def ingest(monkeypatch: pytest.MonkeyPatch):
    with mock_aws():
        bucket(monkeypatch, TOPIC_ARN=topic())
        yield load("ingest_file")


def put(ingest: ModuleType, key: str, body: bytes) -> Stat:
    return ingest.runtime.bench.store.put(key, body)


def counted(out: str) -> dict[str, float]:
    """The files that were counted, by metric."""
    found = [json.loads(line) for line in out.splitlines() if '"_aws"' in line]
    return {name: sum(value) for each in found for name, value in each.items() if name.startswith("Files")}


def test_a_batch_of_files_is_taken_in_told_of_and_counted(
    ingest: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(type(ingest.runtime), "tell_file", lambda runtime, entry: told.append(entry))
    files = {"a b+c%.csv": b"x,y\n1,2\n", "copy.csv": b"x,y\n1,2\n", "empty.csv": b"", "temp_later.csv": b"x\n1\n"}
    landed = [put(ingest, f"raw/{NAME}/{name}", body) for name, body in files.items()]
    assert deliver(ingest, *landed) == {"batchItemFailures": []}
    assert counted(capsys.readouterr().out) == {"FilesIngested": 1, "FilesDuplicate": 1, "FilesQuarantined": 1}
    entries = manifest.entries(ingest.runtime.bench.store, NAME)
    status = {entry.raw.rsplit("/", 1)[1]: entry.status for entry in entries}
    assert status.pop("empty.csv") == "quarantined"
    assert status.keys() == {"a b+c%.csv", "copy.csv"}
    assert {*status.values()} == {"bronze", "duplicate"}  # they are taken in side by side: either may be the first
    logged = {vars(record)["ingest"] for record in caplog.records if record.message == "taken in"}
    assert logged == {entry.ingest for entry in entries}
    assert [entry.status for entry in told] == ["quarantined"]


def test_a_file_in_quarantine_is_told_on_the_topic(ingest: ModuleType) -> None:
    sqs = boto3.client("sqs", region_name="us-east-1")
    url = sqs.create_queue(QueueName="subscribed")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = ingest.runtime.settings.topic_arn
    boto3.client("sns", region_name="us-east-1").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    deliver(ingest, put(ingest, f"raw/{NAME}/empty.csv", b""))
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    told = json.loads(message["Body"])
    assert told["Subject"] == f"{NAME}: quarantined"
    assert told["MessageAttributes"]["status"]["Value"] == "quarantined"
    assert json.loads(told["Message"])["reasons"]


def test_a_retry_is_heard(ingest: ModuleType) -> None:
    deliver(ingest, put(ingest, f"raw/{NAME}/empty.csv", b""))
    store = ingest.runtime.bench.store
    (entry,) = manifest.entries(store, NAME)
    assert deliver(ingest, put(ingest, keys.retry(NAME, entry.ingest, "ana"), b"{}")) == {"batchItemFailures": []}
    assert [each.retry_of for each in manifest.entries(store, NAME)] == [None, entry.ingest]


def test_a_file_of_a_broken_pipeline_waits_and_holds_up_no_other(
    ingest: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def package(dataset: str) -> None:
        if dataset == "broken":
            raise BrokenPipeline("datasets/broken: no PIPELINE")

    monkeypatch.setattr(registry, "package", package)
    landed = [put(ingest, f"raw/{dataset}/a.csv", b"x\n1\n") for dataset in ("broken", NAME)]
    assert deliver(ingest, *landed) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert len(manifest.entries(ingest.runtime.bench.store, NAME)) == 1


def test_some_messages_are_worked_on_at_once_and_each_that_fails_is_named(
    ingest: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in, together = receive.receive, Barrier(ingest.AT_ONCE, timeout=10)

    def meet(bench: Workbench, arrival: Arrival, *how: Any) -> Entry | None:
        together.wait()  # until as many are here as there may be
        if arrival.key.endswith("unlucky.csv"):
            raise Unavailable("no answer")
        return take_in(bench, arrival, *how)

    monkeypatch.setattr(receive, "receive", meet)
    names = [f"{number} unlucky.csv" if number % 3 == 1 else f"{number}.csv" for number in range(2 * ingest.AT_ONCE)]
    landed = [put(ingest, f"raw/{NAME}/{name}", b"x\n%d\n" % number) for number, name in enumerate(names)]
    unlucky = [{"itemIdentifier": str(number)} for number, name in enumerate(names) if "unlucky" in name]
    assert deliver(ingest, *landed) == {"batchItemFailures": unlucky}
    assert len(manifest.entries(ingest.runtime.bench.store, NAME)) == len(names) - len(unlucky)


def test_what_lies_where_nothing_is_taken_in_is_counted(
    ingest: ModuleType, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    names = ["stray.csv", "No Dataset/a.csv", f"{NAME}/temp_a.csv", f"{NAME}/folder/"]
    assert deliver(ingest, *(put(ingest, f"raw/{name}", b"x\n1\n") for name in names)) == {"batchItemFailures": []}
    assert counted(capsys.readouterr().out) == {"FilesPassedOver": 2}
    warned = [vars(record)["key"] for record in caplog.records if record.levelname == "WARNING"]
    assert warned == ["raw/stray.csv", "raw/No Dataset/a.csv"]


def test_a_worker_is_warmed_up_by_no_records(ingest: ModuleType) -> None:
    assert ingest.handler({"Records": []}, CONTEXT) == {"batchItemFailures": []}
