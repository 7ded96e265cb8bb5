"""What the functions have in common: settings from the environment, and a workbench and queues over AWS."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from towline import external, keys
from towline.aws import connect
from towline.aws.athena import Athena
from towline.aws.glue import Glue
from towline.aws.machine import Machine
from towline.aws.queues import ApplyQueue, EventQueue, Topic
from towline.aws.s3 import S3Store
from towline.body import Body
from towline.bulk import words
from towline.cataloging import keep_in_step
from towline.errors import TowlineError
from towline.ingest.entry import Entry
from towline.receipts import Receipt
from towline.settings import Settings
from towline.shelf import Shelf
from towline.workbench import Workbench

logger = Logger()

SHELF = 64 * 2**20  # bytes
_RECORD = 4 * 2**10  # bytes that an audit record takes, about


def _size(value: object) -> int:
    return _RECORD + int(getattr(value, "nbytes", 0))


class Runtime:
    """Made once a process, at import: a function whose environment is incomplete fails before its first event."""

    def __init__(self, *needs: str) -> None:
        self.settings = Settings.for_function(os.environ, needs=needs)
        # Denials of one batch, and of those after it, ask the same records and changes files who set theirs.
        self.bench = Workbench(
            self._store(), self.settings.layout, self.settings.glue_database, shelf=Shelf(SHELF, _size)
        )
        self.bench.describe = self.keep_catalog
        self.bench.wrote = self._log_master
        if self.settings.topic_arn:
            self.bench.notify = self._tell

    def _tell(self, receipt: Receipt) -> None:
        self._topic.publish(receipt)
        if receipt.kind == external.AUTHOR:  # apply or reconcile, whoever met it: one metric, one alarm
            with single_metric("MastersOverwritten", MetricUnit.Count, 1, default_dimensions={"service": "towline"}):
                pass

    def tell_file(self, entry: Entry) -> None:
        """Tell whoever subscribed of a raw file that was refused."""
        self._topic.publish_file(entry)

    @staticmethod
    def _log_master(dataset: str, commit: str, body: Body) -> None:
        """How a master was written. A large one that had to be written anew is counted: it cost what it weighs."""
        sizes = {"sent": body.sent, "copied": body.copied}
        logger.info("master written", dataset=dataset, commit=commit, way=body.way, reason=body.reason, bytes=sizes)
        if body.way == "rewrite":
            with single_metric("MastersRewritten", MetricUnit.Count, 1, default_dimensions={"service": "towline"}):
                pass

    def keep_catalog(self) -> None:
        """Bring the tables that Athena sees in step with the datasets. Where this cannot be done, it is told and
        counted, and left to the next run of Reconcile: no commit depends on it."""
        glue = Glue(self._client("glue", hurried=True), self.settings.glue_database)
        try:
            kept = keep_in_step(self.bench, self.settings.bucket, glue)
        except TowlineError:
            logger.exception("the catalog is not in step")
            with single_metric("CatalogOutOfStep", MetricUnit.Count, 1, default_dimensions={"service": "towline"}):
                pass
        else:
            logger.info("the catalog is in step", catalog=kept.to_json())

    @cached_property
    def machine(self) -> Machine:
        return Machine(self._client("stepfunctions"), self.settings.state_machine_arn or "")

    @cached_property
    def glue(self) -> Glue:
        return Glue(self._client("glue"), self.settings.glue_database)

    def athena(self, workgroup: str, results: str) -> Athena:
        """Queries of a workgroup; `results` is the prefix that they leave theirs under."""
        output = f"s3://{self.settings.bucket}/{results}"
        return Athena(self._client("athena"), workgroup, output, self.settings.glue_database)

    def answer(self, run: keys.Run, output: Mapping[str, object]) -> bool:
        """Let the execution of a run go on that waits. False: none does."""
        token = words.token(self.bench, run)
        return token is not None and self.machine.answer(token, output)

    @cached_property
    def _topic(self) -> Topic:
        return Topic(self._client("sns"), self.settings.topic_arn or "")

    @cached_property
    def apply_queue(self) -> ApplyQueue:
        return ApplyQueue(self._client("sqs"), self.settings.apply_queue_url or "")

    @cached_property
    def validate_queue(self) -> EventQueue:
        return EventQueue(self._client("sqs"), self.settings.validate_queue_url or "")

    @property
    def queues(self) -> dict[str, str]:
        """The URLs of all queues, by what `towline.aws.health.QUEUES` calls them."""
        known = self.settings
        urls = {
            "validate": known.validate_queue_url,
            "apply": known.apply_queue_url,
            "ingest": known.ingest_queue_url,
            "sample": known.sample_queue_url,
            "load": known.load_queue_url,
        }
        return {name: url for name, url in urls.items() if url}

    @cached_property
    def ingest_queue(self) -> EventQueue:
        return EventQueue(self._client("sqs"), self.settings.ingest_queue_url or "")

    @cached_property
    def sample_queue(self) -> EventQueue:
        return EventQueue(self._client("sqs"), self.settings.sample_queue_url or "")

    @cached_property
    def load_queue(self) -> EventQueue:
        return EventQueue(self._client("sqs"), self.settings.load_queue_url or "")

    def _store(self) -> S3Store:
        return S3Store(self._client("s3"), self.settings.bucket)

    def _client(self, service: str, *, hurried: bool = False) -> object:
        settings = self.settings
        return connect(service, settings.endpoint_url, settings.region, settings.profile, hurried=hurried)
