"""S3 events of raw files and of retries -> bronze or quarantine, and an entry in the manifest."""

from threading import Lock

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from towline import keys
from towline.aws import batch
from towline.aws.runtime import Runtime
from towline.inbox import Arrival
from towline.ingest import receive, retrying
from towline.ingest.entry import BRONZE, DUPLICATE, QUARANTINED, Entry
from towline.pipeline import registry
from towline.pipeline.definition import Pipeline

AT_ONCE = 4  # messages of a batch: most of the time that a small file takes is waiting for S3
METRICS = {BRONZE: "FilesIngested", DUPLICATE: "FilesDuplicate", QUARANTINED: "FilesQuarantined"}

logger, tracer, metrics = Logger(), Tracer(), Metrics()
runtime = Runtime("TOPIC_ARN")
loading = Lock()  # a pipeline's code is run once


@tracer.capture_method(capture_response=False)
def take(arrival: Arrival) -> Entry | None:
    door = retrying if arrival.key.startswith(keys.RETRIES) else receive
    return door.receive(runtime.bench, arrival, pipeline_of, runtime.tell_file)


def tell(arrival: Arrival, entry: Entry | None) -> None:
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
    with loading:
        package = registry.package(dataset)
    return package.pipeline if package else None


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event, context):
    return batch.side_by_side(event, context, runtime.settings.author_source, take, tell, AT_ONCE)
