"""S3 events of entries -> a load of each dataset that they are of: silver, then gold."""

from collections import defaultdict

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from towline.aws.events import arrivals
from towline.aws.runtime import Runtime
from towline.pipeline import registry
from towline.pipeline.load import load

logger, tracer, metrics = Logger(), Tracer(), Metrics()
runtime = Runtime("TOPIC_ARN")


def load_all(dataset):
    package = registry.package(dataset)
    more = package is not None
    while more:
        result = load(runtime.bench, package)
        metrics.add_metric("FilesFailed", MetricUnit.Count, len(result.failed))
        logger.info("loaded", dataset=dataset, load=result.load, taken=len(result.taken), rows=result.rows)
        more = result.more


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event, context):
    messages, failed = defaultdict(set), []
    for record in event["Records"]:
        for arrival in arrivals(record["body"], runtime.settings.author_source):
            messages[arrival.key.split("/")[1]].add(record["messageId"])
    for dataset, ids in messages.items():
        try:
            load_all(dataset)
        except Exception:
            logger.exception("not loaded", dataset=dataset)
            failed += ids
    return {"batchItemFailures": [{"itemIdentifier": each} for each in sorted(set(failed))]}
