"""What `towline doctor` looks at in the bucket and around it, locally or on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from towline import catalog, keys
from towline.aws import FAILURES, failure
from towline.aws.identity import client
from towline.cli.check import FAIL, OK, SKIP, WARN, Check, checked
from towline.cli.options import Call
from towline.errors import PreconditionFailed
from towline.settings import Settings
from towline.store import ABSENT

STACK = "towline"  # the name that the template is deployed under
SKEW = 300  # seconds; S3 refuses requests that are more than 15 minutes off
_QUEUED = ("Inbox", "Apply", "Ingest", "Sample", "Load")
_QUEUES, _DEAD = [f"{name}QueueUrl" for name in _QUEUED], [f"{name}DeadLettersUrl" for name in _QUEUED]


def every(call: Call, settings: Settings) -> list[Check]:
    """All checks; where the bucket itself does not answer, that alone."""
    s3 = client("s3", settings)
    answer, check = checked("bucket", lambda: _ask(s3.head_bucket, Bucket=settings.bucket))
    if answer is None:
        return [check]
    found = [Check("bucket", OK, f"{settings.bucket} answers"), _clock(answer), _versioning(s3, settings)]
    found += [_conditional(call), *_deployed(settings), _datasets(call), _sql(call)]
    return found


def _ask(operation: Any, **sent: Any) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = operation(**sent)
    except FAILURES as error:
        raise failure(error, ", ".join(str(value) for value in sent.values())) from error
    return answer


def _clock(answer: dict[str, Any]) -> Check:
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    skew = abs((datetime.now(UTC) - theirs).total_seconds())
    if skew > SKEW:
        return Check("clock", FAIL, f"{skew:,.0f} s off S3's", "set this machine's clock (NTP); S3 refuses 15 minutes")
    return Check("clock", OK, f"within {max(1, round(skew)):,} s of S3's")


def _versioning(s3: Any, settings: Settings) -> Check:
    answer, check = checked("versioning", lambda: _ask(s3.get_bucket_versioning, Bucket=settings.bucket))
    if answer is None:
        return check
    status = answer.get("Status", "never enabled")
    fix = "" if status == "Enabled" else "enable it: without versions a commit cannot be finished or traced"
    return Check("versioning", FAIL if fix else OK, status.lower(), fix)


def _conditional(call: Call) -> Check:
    """Write an empty folder marker into the own inbox, twice, on condition that it is not there. Nobody takes a marker
    for a proposal, and it stays: there is never more than one."""
    key = keys.inbox("doctor", call.connection.principal, "conditional-put/")
    store = call.connection.bench.store

    def both() -> bool:
        for _ in range(2):
            try:
                store.put(key, b"", when=ABSENT)
            except PreconditionFailed:
                return True
        return False

    refused, check = checked("conditional put", both)
    if refused is None:
        return check
    if not refused:
        return Check("conditional put", FAIL, "ignored: a second put overwrote the first", "this store cannot be used")
    return Check("conditional put", OK, "a second put was refused, as it must be")


def _deployed(settings: Settings) -> Iterator[Check]:
    cloudformation = client("cloudformation", settings)
    answer, check = checked("functions", lambda: _ask(cloudformation.describe_stacks, StackName=STACK))
    if answer is None:
        yield Check(
            "functions", SKIP if check.status == SKIP else FAIL, check.found, "deploy template.yaml (docs/aws.md)"
        )
        return
    outputs = {one["OutputKey"]: one["OutputValue"] for one in answer["Stacks"][0].get("Outputs", ())}
    yield _functions(settings, {name: value for name, value in outputs.items() if name.endswith("Function")})
    yield _queues(settings, "queues", {name: outputs[name] for name in _QUEUES if name in outputs})
    yield _queues(settings, "dead letters", {name: outputs[name] for name in _DEAD if name in outputs})


def _functions(settings: Settings, functions: dict[str, str]) -> Check:
    lambda_ = client("lambda", settings)
    for name in functions.values():
        answer, check = checked("functions", lambda name=name: _ask(lambda_.get_function, FunctionName=name))  # type: ignore[misc]
        if answer is None:
            return check
    if not functions:
        return Check("functions", FAIL, f"the stack {STACK} has none", "deploy template.yaml (docs/aws.md)")
    return Check("functions", OK, ", ".join(sorted(name.removesuffix("Function") for name in functions)))


def _queues(settings: Settings, name: str, urls: dict[str, str]) -> Check:
    """How many messages wait. In dead-letter queues none may; in the others they should not stay."""
    sqs, waiting = client("sqs", settings), 0
    for url in urls.values():
        asked = {"QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"]}
        answer, check = checked(name, lambda asked=asked: _ask(sqs.get_queue_attributes, **asked))  # type: ignore[misc]
        if answer is None:
            return check
        waiting += int(answer["Attributes"]["ApproximateNumberOfMessages"])
    if not waiting:
        return Check(name, OK, "empty")
    if name == "queues":
        return Check(name, WARN, f"{waiting:,} messages wait", "look again in a minute; if they stay, read the logs")
    fix = "read the functions' logs, then redrive the queue (docs/runbook.md)"
    return Check(name, FAIL, f"{waiting:,} messages could not be worked off", fix)


def _datasets(call: Call) -> Check:
    names, check = checked("datasets", call.connection.datasets)
    if names is None:
        return check
    return Check("datasets", OK, ", ".join(names) or "none yet (`towline create` makes one)")


def _sql(call: Call) -> Check:
    """Whether the workgroup takes queries, and each dataset has its tables."""
    fix = "deploy template.yaml (docs/aws.md); docs/security.md says what a researcher needs"
    connection = call.connection
    found, check = checked("sql", lambda: (connection.engine.is_ready(), connection.tables(), connection.datasets()))
    if found is None:
        return replace(check, fix=fix)
    is_ready, tables, datasets = found
    if not is_ready:
        return Check("sql", FAIL, "the workgroup is switched off", fix)
    missing = sorted({*catalog.names(datasets)} - {*tables}) if datasets else []
    if missing:
        return Check("sql", WARN, f"there is no table {', '.join(missing)}", "wait for the next run of Reconcile")
    return Check("sql", OK, f"Athena answers; {len(tables):,} tables in {connection.database}")
