"""S3 events of bronze files -> their samples."""

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from towline.aws.events import arrivals
from towline.aws.runtime import Runtime
from towline.ingest.sampled import sampled

logger, tracer, metrics = Logger(), Tracer(), Metrics()
processor = BatchProcessor(EventType.SQS)
runtime = Runtime()


@tracer.capture_method(capture_response=False)
def take(record: SQSRecord) -> None:
    for arrival in arrivals(record.body, runtime.settings.author_source):
        written = sampled(runtime.bench, arrival)
        if written is None:
            logger.info("nothing to sample", key=arrival.key)
            continue
        metrics.add_metric("SamplesWritten", MetricUnit.Count, 1)
        said = {name: written.metadata.get(name) for name in ("kind", "rows")}
        logger.info("sampled", key=arrival.key, sample=written.key, **said)


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event, context):
    if not event["Records"]:  # how the local stack warms a worker up; Powertools takes it for an unknown kind of batch
        return {"batchItemFailures": []}
    return process_partial_response(event=event, record_handler=take, processor=processor, context=context)
