"""On a schedule, and when the local stack starts: put right what a crash or a lost event left behind.

The event `{"since": null}` looks at the whole inbox; a schedule's at its last two days, less what is still under way.
"""

from datetime import timedelta

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from towline import keys
from towline.aws.runtime import Runtime
from towline.bulk.leftovers import leftovers
from towline.reconcile import note, reconcile

LOOK_BACK, UNDER_WAY = timedelta(days=2), timedelta(minutes=15)

logger, tracer, metrics = Logger(), Tracer(), Metrics()
runtime = Runtime("APPLY_QUEUE_URL", "VALIDATE_QUEUE_URL", "TOPIC_ARN", "STATE_MACHINE_ARN", "RECONCILE_MINUTES")


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event, context):
    now = runtime.bench.clock()
    window = () if event.get("since", 0) is None else (now - LOOK_BACK, now - UNDER_WAY)
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
    queues = {"validate": runtime.validate_queue.url, "apply": runtime.apply_queue.url}
    every = timedelta(minutes=runtime.settings.reconcile_minutes or 0)
    note(runtime.bench, found, every, queues)
    runtime.keep_catalog()
    metrics.add_metric("ProposalsRequeued", MetricUnit.Count, len(found.unseen) + len(found.undecided))
    metrics.add_metric("DatasetsInTrouble", MetricUnit.Count, len(found.problems))
    logger.info("reconciled", **found.to_json())
    if found.problems:
        logger.error("datasets need a person", problems=list(found.problems))
    return found.to_json()
