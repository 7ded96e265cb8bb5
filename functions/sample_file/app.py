"""S3 events of bronze files -> their samples."""

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from towline.aws import batch
from towline.aws.runtime import Runtime
from towline.inbox import Arrival
from towline.ingest.sampled import sampled

logger, tracer, metrics = Logger(), Tracer(), Metrics()
runtime = Runtime()


@tracer.capture_method(capture_response=False)
def take(arrival: Arrival) -> None:
    written = sampled(runtime.bench, arrival)
    if written is None:
        logger.info("nothing to sample", key=arrival.key)
        return
    metrics.add_metric("SamplesWritten", MetricUnit.Count, 1)
    said = {name: written.metadata.get(name) for name in ("kind", "rows")}
    logger.info("sampled", key=arrival.key, sample=written.key, **said)


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event, context):
    return batch.each(event, context, runtime.settings.author_source, take)
