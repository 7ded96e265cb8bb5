"""The steps of statemachines/bulk_edit.asl.json that are not Athena's: one event, one step of one run."""

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from towline import keys, receipts
from towline.aws.runtime import Runtime
from towline.bulk import adopting, checking, cleaning, handover, pinning, refusing, state
from towline.settings import EDITS_WORKGROUP, WORKGROUP

logger, tracer, metrics = Logger(), Tracer(), Metrics()
runtime = Runtime("APPLY_QUEUE_URL", "TOPIC_ARN")


def pin(run, event):
    return pinning.pin(runtime.bench, run, event["execution"], runtime.settings.bucket)


def check(run, event):
    return checking.check(runtime.bench, run, event.get("query") or {})


def await_word(run, event):
    waiting = handover.await_word(runtime.bench, run, event["token"])
    return answered(waiting, event["token"])


def await_commit(run, event):
    waiting = handover.await_commit(runtime.bench, run, event["token"])
    if waiting.queue:
        runtime.apply_queue.send(waiting.receipt, again=event["token"])
    return answered(waiting, event["token"])


def answered(waiting, token):
    if waiting.answer:
        runtime.machine.answer(token, {"status": waiting.receipt.status})
    return {"status": waiting.receipt.status}


def refuse(run, event):
    """A state failed; a query that may still run is stopped."""
    error = event["error"]
    failed = refusing.failure(error["Error"], error.get("Cause", ""), while_waiting=event.get("waiting", False))
    if failed.rule == refusing.TIMEOUT:
        runtime.athena(EDITS_WORKGROUP, keys.EDIT_RESULTS).stop_all(state.table_prefix(run))
    if failed.rule == refusing.FAULT:
        metrics.add_metric("RunsFailed", MetricUnit.Count, 1)
        logger.error("a run failed", error=error)
    receipt = receipts.load(runtime.bench.store, run.dataset, run.id)
    if receipt is not None:
        refusing.refuse(runtime.bench, receipt, failed.rule, failed.message, failed.query)
    return {"rule": failed.rule}


def clean(run, event):
    return cleaning.clean(runtime.bench, run, runtime.glue)


def adopt(event):
    """A query of somebody's ended in the workgroup of people."""
    execution = runtime.athena(WORKGROUP, keys.QUERY_RESULTS).execution(event["query_id"])
    return adopting.adopt(runtime.bench, execution, runtime.settings.bucket, event["execution"])


STEPS = {
    "pin": pin,
    "check": check,
    "await_word": await_word,
    "await_commit": await_commit,
    "refuse": refuse,
    "clean": clean,
}


@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event, context):
    if event["step"] == "adopt":
        answer = adopt(event)
    else:
        run = keys.Run(event["dataset"], event["run"])
        answer = STEPS[event["step"]](run, event)
    logger.info("done", step=event["step"], dataset=event.get("dataset"), run=event.get("run"), answer=_short(answer))
    return answer


def _short(answer):
    """An answer without the statements in it, which may hold data."""
    return {name: value for name, value in answer.items() if name not in ("create", "rewrite")}
