"""A step of the state machine: the parts that a query wrote -> one canonical object, the run's result.

{"dataset": "net_tows", "run": "01K…", "prefix": "sql/net_tows/01K…/next/", "manifest": null or "s3://…"}
-> {"key", "rows", "parts", "bytes", "ignored": [{"key", "reason"}]}
"""

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from towline import keys, parts, rowgroups
from towline.aws.runtime import Runtime
from towline.flatten import flatten, memory_within
from towline.store import MIB

logger, tracer, metrics = Logger(), Tracer(), Metrics()
runtime = Runtime()


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event, context):
    run, store = keys.Run(event["dataset"], event["run"]), runtime.bench.store
    manifest = event.get("manifest") and parts.key_of(event["manifest"], runtime.settings.bucket)
    contract = runtime.bench.contract(run.dataset)
    memory = memory_within(int(context.memory_limit_in_mb) * MIB)  # Lambda says it in a string
    found = parts.find(store, event["prefix"], manifest)
    cuts = rowgroups.firsts(store, run.base, contract.fields, contract.key)
    made = flatten(store, found, run.result, contract.fields, contract.key, memory=memory, cuts=cuts, canonical=True)
    metrics.add_metric("PartsFlattened", MetricUnit.Count, made.parts)
    logger.info("flattened", dataset=run.dataset, run=run.id, unfit=made.unfit, **made.to_json())
    return made.to_json()
