"""The functions of the tables' side, deployed in moto."""

from __future__ import annotations

import copy
import json
from typing import Any

import boto3
import pytest

from tests.core.nets import CONTRACT, CSV, NAME
from tests.functions.functions import CONTEXT, bucket, example, load, topic
from towline import keys
from towline.change import RowChange
from towline.contract import Contract
from towline.dataset import Dataset, Draft

FILES = ("INGEST", "SAMPLE", "LOAD")


class Deployed:
    """The bucket, queues and topic in moto, and the three handlers over them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sqs = boto3.client("sqs", region_name="us-east-1")
        fifo = {"FifoQueue": "true"}
        self.environment = {
            "APPLY_QUEUE_URL": self.sqs.create_queue(QueueName="apply.fifo", Attributes=fifo)["QueueUrl"],
            "VALIDATE_QUEUE_URL": self.sqs.create_queue(QueueName="inbox")["QueueUrl"],
            **{f"{name}_QUEUE_URL": self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in FILES},
            "TOPIC_ARN": topic(),
            "STATE_MACHINE_ARN": state_machine(),
            "RECONCILE_MINUTES": "10",
        }
        bucket(monkeypatch, **self.environment)
        self.validate, self.apply, self.reconcile = map(load, ("validate_proposal", "apply_proposals", "reconcile"))
        self.bench = self.validate.runtime.bench
        self.dataset = Dataset(self.bench, NAME, "AROAEXAMPLE:ana@example.org")

    def put(self, draft: Draft) -> dict[str, Any]:
        """Send a draft; the S3 event record of it."""
        self.dataset.send(draft)
        return self.event_of(keys.inbox(NAME, self.dataset.principal, draft.name))

    def event_of(self, key: str) -> dict[str, Any]:
        """The S3 event record of an object that its author has put."""
        stat = self.bench.store.head(key)
        record = json.loads(example("validate_proposal.edit")["Records"][0]["body"])["Records"][0]
        record["s3"]["object"] |= {
            "key": key.replace(":", "%3A").replace("@", "%40"),
            "size": stat.size,
            "eTag": stat.etag,
            "versionId": stat.version,
        }
        record["userIdentity"]["principalId"] = f"AWS:{self.dataset.principal}"
        return record

    def queued(self, name: str) -> list[dict[str, Any]]:
        """The messages that wait in a queue, taken out of it."""
        url = self.environment[name]
        found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:  # else the message holds up its group
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    def create(self, contract: Contract = CONTRACT) -> None:
        record = self.put(self.dataset.create("nets.csv", CSV, contract, "first load"))
        self.validate.handler(batch(record), CONTEXT)
        assert self.apply.handler(fifo_batch(*self.queued("APPLY_QUEUE_URL")), CONTEXT) == {"batchItemFailures": []}

    def edit(self, volume: float) -> Draft:
        commit, table = self.dataset.table()
        row = table.to_pylist()[1]
        return self.dataset.rows([RowChange(row, {**row, "volume": volume})], "why", commit)


def state_machine() -> str:
    """A state machine; moto starts executions, and leaves them running."""
    made = boto3.client("stepfunctions", region_name="us-east-1").create_state_machine(
        name="edits",
        definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
        roleArn="arn:aws:iam::123456789012:role/edits",
    )
    return str(made["stateMachineArn"])


def batch(*records: dict[str, Any]) -> dict[str, Any]:
    """An SQS event of S3 notifications, one message each."""
    (message,) = example("validate_proposal.edit")["Records"]
    bodies = [json.dumps({"Records": [record]}) for record in records]
    return {"Records": [{**message, "messageId": f"m{i}", "body": body} for i, body in enumerate(bodies)]}


def fifo_batch(*messages: dict[str, Any]) -> dict[str, Any]:
    (record,) = example("apply_proposals.edit")["Records"]
    made = []
    for number, message in enumerate(messages):
        one = copy.deepcopy(record) | {"messageId": f"m{number}", "body": json.dumps(message)}
        one["attributes"]["MessageGroupId"] = message["receipt"]["dataset"]
        made.append(one)
    return {"Records": made}
