"""Accepted proposals -> commits: those of one dataset that wait together are committed together."""

from collections import defaultdict

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent, SQSRecord

from towline import keys
from towline.aws.queues import waiting
from towline.aws.runtime import Runtime
from towline.commit import commit

logger, tracer, metrics = Logger(), Tracer(), Metrics()
processor = SqsFifoPartialProcessor(skip_group_on_error=True)
runtime = Runtime("TOPIC_ARN")


@tracer.capture_method(capture_response=False)
def commit_dataset(dataset: str, records: list[SQSRecord]) -> dict[str, Exception]:
    """Commit the proposals of one dataset; the fault of each message that must come again."""
    try:
        final = commit(runtime.bench, dataset, [waiting(record.body) for record in records])
        for receipt in final:
            metrics.add_metric(f"Proposals{receipt.status.title().replace('_', '')}", MetricUnit.Count, 1)
            logger.info(receipt.message, dataset=dataset, proposal=receipt.proposal, status=receipt.status)
            if receipt.kind == "sql" and receipt.final:
                runtime.answer(keys.Run(dataset, receipt.proposal), {"status": receipt.status})
    except Exception as fault:
        logger.exception("not committed", dataset=dataset, proposals=len(records))
        return {record.message_id: fault for record in records}
    if any(receipt.kind == "create" and receipt.status == "committed" for receipt in final):
        runtime.keep_catalog()
    return {}


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event, context):
    if not event["Records"]:  # how the local stack warms a worker up; Powertools takes it for an unknown kind of batch
        return {"batchItemFailures": []}
    groups = defaultdict(list)
    for record in SQSEvent(event).records:
        groups[record.attributes.message_group_id].append(record)
    faults = {}
    for dataset, records in groups.items():
        faults |= commit_dataset(dataset, records)

    def verdict(record: SQSRecord) -> None:
        if record.message_id in faults:
            raise faults[record.message_id]

    return process_partial_response(event=event, record_handler=verdict, processor=processor, context=context)
