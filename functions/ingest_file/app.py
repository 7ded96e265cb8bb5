"""S3 events of raw files and of retries -> bronze or quarantine, and an entry in the manifest."""

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from towline import keys
from towline.aws.events import arrivals
from towline.aws.runtime import Runtime
from towline.inbox import Arrival
from towline.ingest import receive, retrying
from towline.ingest.entry import BRONZE, DUPLICATE, QUARANTINED
from towline.pipeline import registry
from towline.pipeline.definition import Pipeline

METRICS = {BRONZE: "FilesIngested", DUPLICATE: "FilesDuplicate", QUARANTINED: "FilesQuarantined"}

logger, tracer, metrics = Logger(), Tracer(), Metrics()
processor = BatchProcessor(EventType.SQS)
runtime = Runtime("TOPIC_ARN")


@tracer.capture_method(capture_response=False)
def take(record: SQSRecord) -> None:
    for arrival in arrivals(record.body, runtime.settings.author_source):
        take_in(arrival)


def take_in(arrival: Arrival) -> None:
    door = retrying if arrival.key.startswith(keys.RETRIES) else receive
    entry = door.receive(runtime.bench, arrival, pipeline_of, runtime.tell_file)
    if entry is None:
        pass_over(arrival)
        return
    metrics.add_metric(METRICS[entry.status], MetricUnit.Count, 1)
    said = {"dataset": entry.dataset, "status": entry.status, "raw": entry.raw, "bronze": entry.bronze}
    logger.info("taken in", ingest=entry.ingest, **said)


def pass_over(arrival: Arrival) -> None:
    """Nothing was taken in: somebody should hear of it, unless it is a folder or a file that is still written."""
    raw = keys.parse_raw(arrival.key)
    if arrival.key.endswith("/") or (raw is not None and raw.is_incomplete):
        logger.info("not yet a file", key=arrival.key)
        return
    metrics.add_metric("FilesPassedOver", MetricUnit.Count, 1)
    logger.warning("no file to take in: no such key, version or ingest", key=arrival.key, version=arrival.version)


def pipeline_of(dataset: str) -> Pipeline | None:
    package = registry.package(dataset)
    return package.pipeline if package else None


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event, context):
    if not event["Records"]:  # how the local stack warms a worker up; Powertools takes it for an unknown kind of batch
        return {"batchItemFailures": []}
    return process_partial_response(event=event, record_handler=take, processor=processor, context=context)
