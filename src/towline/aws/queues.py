"""The queues between the functions, and the topic that outcomes are published to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from typing import Any

from towline.aws.events import notification
from towline.inbox import Arrival
from towline.ingest.entry import Entry
from towline.receipts import Receipt

BATCH = 10  # messages that SQS takes at once
REASONS_MAX, REASON_MAX = 20, 1_000  # of a refused file; the report beside it has all


@dataclass(frozen=True)
class ApplyQueue:
    """FIFO, one group a dataset: proposals of a dataset are committed one batch after the other."""

    client: Any
    url: str

    def send(self, receipt: Receipt, again: str = "") -> None:
        """Queue an undecided proposal. SQS drops a message that it was sent in the last five minutes; `again` makes a
        repetition one that it has not seen."""
        seen = f"{receipt.key} {receipt.etag} {again}"
        message = {"receipt": receipt.to_json(), "etag": receipt.etag, "letter": _text(receipt.letter)}
        self.client.send_message(
            QueueUrl=self.url,
            MessageBody=json.dumps(message),
            MessageGroupId=receipt.dataset,
            MessageDeduplicationId=sha256(seen.encode()).hexdigest(),
        )


def _text(letter: bytes | None) -> str | None:
    """A letter as text; None also where it is none in UTF-8, so that it is read again byte for byte."""
    try:
        return letter.decode() if letter else None
    except UnicodeDecodeError:
        return None


def waiting(body: str) -> Receipt:
    """The receipt in a message of the apply queue, with its letter if that came along."""
    message = json.loads(body)
    letter = message.get("letter")
    return replace(Receipt.from_json(message["receipt"], message["etag"]), letter=letter.encode() if letter else None)


@dataclass(frozen=True)
class EventQueue:
    """A queue that S3 notifies: of the inbox, of raw files, of bronze ones, or of entries."""

    client: Any
    url: str

    def send(self, arrival: Arrival) -> None:
        """Queue an arrival, as S3 would have."""
        self.client.send_message(QueueUrl=self.url, MessageBody=notification(arrival))

    def send_all(self, arrivals: Iterable[Arrival]) -> int:
        """Queue many arrivals; how many they were."""
        waiting, sent = iter(arrivals), 0
        while batch := list(islice(waiting, BATCH)):
            messages = [{"Id": str(number), "MessageBody": notification(each)} for number, each in enumerate(batch)]
            answer = self.client.send_message_batch(QueueUrl=self.url, Entries=messages)
            for failed in answer.get("Failed", ()):  # some of a batch may fail by themselves
                self.send(batch[int(failed["Id"])])
            sent += len(batch)
        return sent


@dataclass(frozen=True)
class Topic:
    """Outcomes of proposals, and files that were refused, for whoever subscribes; the attributes let a subscription
    filter."""

    client: Any
    arn: str

    def publish(self, receipt: Receipt) -> None:
        self._send(receipt.dataset, receipt.status, receipt.user, json.dumps(receipt.to_json(), ensure_ascii=False))

    def publish_file(self, entry: Entry) -> None:
        """What became of a raw file: its line of the manifest, without what could make it longer than SNS takes."""
        reasons = tuple(reason[:REASON_MAX] for reason in entry.reasons[:REASONS_MAX])
        self._send(entry.dataset, entry.status, "", replace(entry, columns=(), reasons=reasons).to_line().decode())

    def _send(self, dataset: str, status: str, user: str, message: str) -> None:
        attributes = {"dataset": dataset, "status": status, "user": user or "unknown"}
        self.client.publish(
            TopicArn=self.arn,
            Subject=f"{dataset}: {status}"[:100],
            Message=message,
            MessageAttributes={k: {"DataType": "String", "StringValue": v} for k, v in attributes.items()},
        )
