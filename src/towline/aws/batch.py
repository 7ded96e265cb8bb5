"""Batches of SQS messages that tell of objects: each is taken by itself, and a message that fails comes again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from towline.aws.events import arrivals
from towline.inbox import Arrival


def each(event: dict[str, Any], context: Any, author_source: str, take: Callable[[Arrival], None]) -> Any:
    """Take all object versions that a batch tells of. Returns what Lambda is to be answered: the ids of the messages of
    which one could not be taken. Raises where that is so of all of them. `author_source` as of `arrivals`."""
    if not event["Records"]:  # how the local stack warms a worker up; Powertools takes it for an unknown kind of batch
        return {"batchItemFailures": []}

    def take_message(record: SQSRecord) -> None:
        for arrival in arrivals(record.body, author_source):
            take(arrival)

    processor = BatchProcessor(EventType.SQS)  # its own: it counts, and the local stack may run batches side by side
    return process_partial_response(event=event, record_handler=take_message, processor=processor, context=context)
