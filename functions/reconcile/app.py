"""On a schedule, and when the local stack starts: put right what a crash or a lost event left behind.

The event `{"since": null}` looks at the whole bucket; a schedule's at its last two days, less what is still under way.
"""

from dataclasses import replace
from datetime import timedelta
from itertools import islice

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from towline import keys
from towline.aws.runtime import Runtime
from towline.bulk.leftovers import leftovers
from towline.pipeline import registry
from towline.pipeline.upkeep import keep_up
from towline.reconcile import note, reconcile

LOOK_BACK, UNDER_WAY = timedelta(days=2), timedelta(minutes=15)
AT_ONCE = 20_000  # files that a run queues again; the rest waits for the next

logger, tracer, metrics = Logger(), Tracer(), Metrics()
runtime = Runtime(
    "APPLY_QUEUE_URL", "VALIDATE_QUEUE_URL", "INGEST_QUEUE_URL", "SAMPLE_QUEUE_URL", "LOAD_QUEUE_URL",
    "TOPIC_ARN", "STATE_MACHINE_ARN", "RECONCILE_MINUTES",
)  # fmt: skip


def proposals(now, window):
    """Put datasets in order; proposals that nobody decided go to the queues again."""
    found = reconcile(runtime.bench, *window)
    for arrival in found.unseen:
        runtime.validate_queue.send(arrival)
    for receipt in found.undecided:
        if receipt.kind == "sql" and not receipt.run.get("effect"):
            runtime.machine.ensure(keys.Run(receipt.dataset, receipt.proposal))
        else:
            runtime.apply_queue.send(receipt, again=now.isoformat())
    for run in leftovers(runtime.bench, now - UNDER_WAY if window else None):
        runtime.machine.ensure(run)
    metrics.add_metric("ProposalsRequeued", MetricUnit.Count, len(found.unseen) + len(found.undecided))
    logger.info("reconciled", **found.to_json())
    return found


def files(window):
    """Files that no event came of go to the queues again."""
    found = keep_up(runtime.bench, registry.packages(), *window)
    sent = runtime.ingest_queue.send_all(islice(found.raw, AT_ONCE))
    sent += runtime.sample_queue.send_all(islice(found.bronze, AT_ONCE))
    sent += runtime.load_queue.send_all(found.entries)
    metrics.add_metric("FilesRequeued", MetricUnit.Count, sent)
    logger.info("files reconciled", **found.to_json())
    return found


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event, context):
    now = runtime.bench.clock()
    window = () if event.get("since", 0) is None else (now - LOOK_BACK, now - UNDER_WAY)
    found = proposals(now, window)
    found = replace(found, problems=found.problems + files(window).problems)
    every = timedelta(minutes=runtime.settings.reconcile_minutes or 0)
    note(runtime.bench, found, every, runtime.queues)
    runtime.keep_catalog()
    metrics.add_metric("DatasetsInTrouble", MetricUnit.Count, len(found.problems))
    if found.problems:
        logger.error("datasets need a person", problems=list(found.problems))
    return found.to_json()
