"""Batches of SQS messages that tell of objects: each is taken by itself, and a message that fails comes again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from towline.aws.events import arrivals
from towline.inbox import Arrival

Taken = TypeVar("Taken")


def each(event: dict[str, Any], context: Any, author_source: str, take: Callable[[Arrival], None]) -> Any:
    """Take all object versions that a batch tells of. Returns what Lambda is to be answered: the ids of the messages of
    which one could not be taken. Raises where that is so of all of them. `author_source` as of `arrivals`."""

    def take_message(record: SQSRecord) -> None:
        for arrival in arrivals(record.body, author_source):
            take(arrival)

    return _answer(event, context, take_message)


def side_by_side(
    event: dict[str, Any],
    context: Any,
    author_source: str,
    take: Callable[[Arrival], Taken],
    tell: Callable[[Arrival, Taken], None],
    at_once: int,
) -> Any:
    """As `each`, of so many messages at once, in threads. What came of each is told in the batch's order, by the
    caller's own thread."""

    def take_message(body: str) -> list[tuple[Arrival, Taken]]:
        return [(arrival, take(arrival)) for arrival in arrivals(body, author_source)]

    with ThreadPoolExecutor(at_once) as workers:
        taken = {record["messageId"]: workers.submit(take_message, record["body"]) for record in event["Records"]}

        def tell_message(record: SQSRecord) -> None:
            for arrival, what in taken[record.message_id].result():
                tell(arrival, what)

        return _answer(event, context, tell_message)


def _answer(event: dict[str, Any], context: Any, take_message: Callable[[SQSRecord], None]) -> Any:
    if not event["Records"]:  # how the local stack warms a worker up; Powertools takes it for an unknown kind of batch
        return {"batchItemFailures": []}
    processor = BatchProcessor(EventType.SQS)  # its own: it counts, and the local stack may run batches side by side
    return process_partial_response(event=event, record_handler=take_message, processor=processor, context=context)
