"""S3 events of bronze files -> a sample of each."""

from aws_lambda_powertools import Logger, Metrics, Tracer

from towline.aws.runtime import Runtime

logger, tracer, metrics = Logger(), Tracer(), Metrics()
runtime = Runtime()


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event, context):
    return {"batchItemFailures": []}
