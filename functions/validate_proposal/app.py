"""S3 events of the inbox and of reviews -> receipts; what is accepted, or reviewed, goes on to the apply queue, and an
SQL edit to the state machine."""

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from towline import inbox, keys, reviewing
from towline.aws import batch
from towline.aws.runtime import Runtime
from towline.bulk import words
from towline.bulk.state import table_prefix
from towline.inbox import Arrival
from towline.runs import DISCARD
from towline.settings import EDITS_WORKGROUP

logger, tracer, metrics = Logger(), Tracer(), Metrics()
runtime = Runtime("APPLY_QUEUE_URL", "TOPIC_ARN", "STATE_MACHINE_ARN")


@tracer.capture_method(capture_response=False)
def take(arrival: Arrival) -> None:
    if arrival.key.startswith(keys.REVIEWS):
        hear(arrival)
    elif words.word_of(arrival.key):
        heed(arrival)
    else:
        receive(arrival)


def receive(arrival: Arrival) -> None:
    receipt = inbox.receive(runtime.bench, arrival)
    if receipt is None:
        return
    if receipt.kind == "sql" and not receipt.rests:
        runtime.machine.start(keys.Run(receipt.dataset, receipt.proposal))
    elif not receipt.final:
        runtime.apply_queue.send(receipt)
    metrics.add_metric(f"Proposals{receipt.status.title().replace('_', '')}", MetricUnit.Count, 1)
    logger.info("received", dataset=receipt.dataset, proposal=receipt.proposal, status=receipt.status)


def hear(arrival: Arrival) -> None:
    """A steward's word: the proposal is looked at again, where one waits for it."""
    receipt = reviewing.receive(runtime.bench, arrival)
    if receipt is None:
        logger.warning("no proposal waits for this review", key=arrival.key)
        return
    runtime.apply_queue.send(receipt, again=f"{arrival.key} {arrival.etag}")
    logger.info("reviewed", dataset=receipt.dataset, proposal=receipt.proposal, key=arrival.key)


def heed(arrival: Arrival) -> None:
    """An author's word on a run: the execution that waits goes on, or else another takes the run up."""
    heard = words.hear(runtime.bench, arrival)
    if heard is None:
        logger.warning("this word counts for nothing", key=arrival.key)
        return
    run = keys.Run(heard.receipt.dataset, heard.receipt.proposal)
    if heard.word == DISCARD:
        runtime.athena(EDITS_WORKGROUP, keys.EDIT_RESULTS).stop_all(table_prefix(run))
    if not runtime.answer(run, {"word": heard.word}):
        runtime.machine.ensure(run)
    logger.info("heard", dataset=run.dataset, run=run.id, word=heard.word)


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event, context):
    return batch.each(event, context, runtime.settings.author_source, take)
