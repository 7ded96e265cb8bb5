"""What only AWS can tell of how things are: S3, the bucket's settings, the queues and their dead letters."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from hashlib import sha256
from typing import Any

from towline import reconcile
from towline.aws import FAILURES, failure
from towline.aws.identity import client
from towline.errors import NotFound, Refused, TowlineError
from towline.health import judge
from towline.health.checkup import Probe
from towline.health.fact import Fact
from towline.health.judge import Queue
from towline.settings import Settings
from towline.store import ObjectStore

# Name of a queue in Reconcile's note -> what it and its dead letters are called, and the function that takes from it.
QUEUES: Mapping[str, tuple[str, str, str]] = {
    "validate": ("Validate queue", "Dead letters of validate", "ValidateProposal"),
    "apply": ("Apply queue", "Dead letters of apply", "ApplyProposals"),
    "ingest": ("Ingest queue", "Dead letters of ingest", "IngestFile"),
    "sample": ("Sample queue", "Dead letters of sample", "SampleFile"),
    "load": ("Load queue", "Dead letters of load", "LoadDataset"),
}
_WAITING, _IN_FLIGHT = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"


@dataclass
class Storage:
    """S3 itself and the bucket in it."""

    settings: Settings

    @cached_property
    def _s3(self) -> Any:
        return client("s3", self.settings, hurried=True)

    def reached(self) -> Iterator[Fact]:
        """Whether S3 answers, and has the bucket. That it does not is no unknown, but bad news."""
        s3, began, bucket = self._s3, time.monotonic(), self.settings.bucket
        where = self.settings.endpoint_url or f"AWS, {self.settings.region}"
        try:
            headers = ask(s3.head_bucket, Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
        except NotFound:
            do = "check S3_BUCKET; for a new one, deploy template.yaml (docs/aws.md)"
            yield Fact("storage", "S3", "red", f"there is no bucket {bucket!r} at {where}", do, "S3 does not answer")
            return
        except Refused as error:
            do = "check AWS_PROFILE and the policies of the role (docs/security.md)"
            yield Fact("storage", "S3", "red", f"it refuses you: {error}", do, "What you may not see")
            return
        except TowlineError as error:
            if self.settings.local:
                yield judge.unreached(f"nothing answers at {where}", judge.START_AGAIN, str(error))
            else:
                yield judge.unreached(str(error), "check the network, and your credentials (`aws sso login`, say)")
            return
        yield judge.reached(where, timedelta(seconds=time.monotonic() - began), _skew(headers))
        region = headers.get("x-amz-bucket-region") or self.settings.region
        yield Fact("storage", "Bucket", "fine", f"{bucket} in {region}", values={"bucket": bucket, "region": region})

    def versioning(self) -> Iterator[Fact]:
        answer = ask(self._s3.get_bucket_versioning, Bucket=self.settings.bucket)
        yield judge.versioning(answer.get("Status", ""))


@dataclass
class Queues:
    """The queues and their dead letters. Where they are stands in Reconcile's note: whoever may read numbers of a
    queue may not look up its name."""

    settings: Settings
    store: ObjectStore

    @cached_property
    def _sqs(self) -> Any:
        return client("sqs", self.settings, hurried=True)

    def look(self, name: str) -> Iterator[Fact]:
        """A queue of QUEUES, and its dead letters."""
        title, letters, function = QUEUES[name]
        url = self._url(name)
        found = self._attributes(url)
        yield judge.queue(title, Queue(int(found[_WAITING]), int(found[_IN_FLIGHT])))
        dead = self._attributes(_dead_letters_of(url, found))
        yield judge.dead_letters(letters, function, int(dead[_WAITING]) + int(dead[_IN_FLIGHT]))

    def redrive(self, name: str) -> int:
        """Send the dead letters of a queue again; how many there were. One at a time: killed in between, a message may
        be there twice, which does no harm, but never not at all."""
        url = self._url(name)
        dead, moved = _dead_letters_of(url, self._attributes(url)), 0
        asked = {"QueueUrl": dead, "MaxNumberOfMessages": 10, "AttributeNames": ["MessageGroupId"]}
        while messages := ask(self._sqs.receive_message, **asked).get("Messages"):
            for message in messages:
                ask(self._sqs.send_message, QueueUrl=url, MessageBody=message["Body"], **_fifo(message))
                ask(self._sqs.delete_message, QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
                moved += 1
        return moved

    def _url(self, name: str) -> str:
        run = reconcile.last_run(self.store)
        if run is None or name not in run.queues:
            raise NotFound("Reconcile, whose note says where the queues are, has left none yet")
        return run.queues[name]

    def _attributes(self, url: str) -> Mapping[str, str]:
        wanted = [_WAITING, _IN_FLIGHT, "RedrivePolicy"]
        answer = ask(self._sqs.get_queue_attributes, QueueUrl=url, AttributeNames=wanted)
        found: Mapping[str, str] = answer["Attributes"]
        return found


def probes(settings: Settings, store: ObjectStore) -> list[Probe]:
    """What to look at in the bucket of `settings`, which `store` is, and around it."""
    storage, queues = Storage(settings), Queues(settings, store)
    return [
        Probe("storage", ("S3",), storage.reached),
        Probe("storage", ("Versioning",), storage.versioning),
        *(Probe("pipeline", titles[:2], partial(queues.look, name)) for name, titles in QUEUES.items()),
    ]


def ask(operation: Any, **sent: Any) -> dict[str, Any]:
    """The answer to an API call. Raises the TowlineError that its failure stands for."""
    try:
        answer: dict[str, Any] = operation(**sent)
    except FAILURES as error:
        raise failure(error, str(next(iter(sent.values())))) from error
    return answer


def _skew(headers: Mapping[str, str]) -> timedelta:
    return abs(datetime.now(UTC) - parsedate_to_datetime(headers["date"]))


def _dead_letters_of(url: str, attributes: Mapping[str, str]) -> str:
    """The URL of a queue's dead letters: a queue of the same account and region, whose ARN ends in its name."""
    arn = str(json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"])
    return f"{url.rsplit('/', 1)[0]}/{arn.rsplit(':', 1)[1]}"


def _fifo(message: Mapping[str, Any]) -> dict[str, str]:
    """What a FIFO queue wants to know of a message: its group, and that it is not one that it has seen just now."""
    group = message.get("Attributes", {}).get("MessageGroupId")
    unseen = sha256(message["ReceiptHandle"].encode()).hexdigest()
    return {"MessageGroupId": group, "MessageDeduplicationId": unseen} if group else {}
