"""S3 events of entries -> a load of each dataset that they are of: silver, then gold.

A load takes whatever waits, so one does for all events of a batch. What still waits when the time runs out is taken up
by the next event, or by Reconcile. Gold is brought up to silver each time, also where a crash came between the two; so
are the masters that the pipeline has.
"""

from collections import defaultdict

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from towline import keys
from towline.aws.events import arrivals
from towline.aws.runtime import Runtime
from towline.pipeline import gold, mastering, registry
from towline.pipeline.load import load
from towline.settings import LOADS_WORKGROUP
from towline.store import GIB

LIMIT = GIB // 2  # bytes of bronze in one load, which are a few minutes' work
SPARE = 2  # a load may take so many times as long as the one before; else it is not begun

logger, tracer, metrics = Logger(), Tracer(), Metrics()
runtime = Runtime("TOPIC_ARN")


def load_all(dataset, context):
    package = registry.package(dataset)
    if package is None:
        logger.info("no pipeline loads this dataset", dataset=dataset)
        return
    more, took = True, 0
    while more and context.get_remaining_time_in_millis() > SPARE * took:
        left = context.get_remaining_time_in_millis()
        result = load(runtime.bench, package, limit_bytes=LIMIT, tell=runtime.tell_file)
        took = left - context.get_remaining_time_in_millis()
        count(result, took)
        more = result.more
    if more:
        logger.warning("files still wait, for the next event or for Reconcile", dataset=dataset)
    engine = runtime.athena(LOADS_WORKGROUP, keys.LOAD_RESULTS)
    made = gold.refresh(runtime.bench, package, engine, runtime.settings.bucket)
    counts = {"rebuilt": len(made.rebuilt), "removed": len(made.removed), "statements": made.statements}
    logger.info("gold", dataset=dataset, load=made.load, silver=made.silver, rows=made.rows, **counts)
    for said in mastering.propose(runtime.bench, package):
        logger.info("masters", dataset=dataset, said=said)


def count(result, took):
    failed, loaded = len(result.failed), len(result.taken) - len(result.failed)
    metrics.add_metric("FilesLoaded", MetricUnit.Count, loaded)
    metrics.add_metric("FilesFailed", MetricUnit.Count, failed)
    metrics.add_metric("RowsRefused", MetricUnit.Count, result.refused)
    metrics.add_metric("PartitionsWritten", MetricUnit.Count, len(result.written))
    metrics.add_metric("LoadSeconds", MetricUnit.Seconds, took / 1000)
    said = {"load": result.load, "dataset": result.dataset, "full": result.full, "more": result.more}
    counts = {"loaded": loaded, "failed": failed, "rows": result.rows, "refused": result.refused}
    logger.info("loaded", **said, **counts, written=len(result.written), removed=len(result.removed))
    for ingest in result.failed:  # why is in its report: reasons may quote the file, and logs hold no data
        logger.error("a file failed", load=result.load, dataset=result.dataset, ingest=ingest)


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event, context):
    messages, failed = defaultdict(set), set()
    for record in event["Records"]:
        for arrival in arrivals(record["body"], runtime.settings.author_source):
            messages[arrival.key.split("/")[1]].add(record["messageId"])
    for dataset, ids in messages.items():
        try:
            load_all(dataset, context)
        except Exception:  # a broken pipeline, or a store that does not answer, keeps no other dataset waiting
            logger.exception("not loaded", dataset=dataset)
            failed |= ids
    return {"batchItemFailures": [{"itemIdentifier": each} for each in sorted(failed)]}
