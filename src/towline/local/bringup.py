"""From a MiniStack that answers to a stack that works: deploy, start the function workers, reconcile.

Events of a killed stack are gone while their objects are not, so whoever starts it looks through the bucket
once, by the same function that does so on a schedule.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from towline.keys import LAST_RUN
from towline.local.deploy import Clients, Deployed, Plan, deploy

# None: look at everything, not only at what came since some moment.
RECONCILE = {"since": None}
RECONCILE_OUTPUT = "ReconcileFunction"
QUEUE_OUTPUTS = ("InboxQueueUrl", "ApplyQueueUrl", "IngestQueueUrl", "SampleQueueUrl", "LoadQueueUrl")

# Functions of files get their workers with the first file: nobody waits at a table for them, and each takes a second of
# both cores and 110 MB.
ON_DEMAND = ("IngestFile", "SampleFile", "LoadDataset")

_NOT_RECONCILED = "what a crash left behind could not be looked for"

Complaint = str | None


@dataclass(frozen=True)
class Up:
    """A stack that works, with what did not go well but does not prevent that."""

    deployed: Deployed
    bucket: str
    warnings: tuple[str, ...]


def bring_up(clients: Clients, plan: Plan, warm: Callable[[str], Complaint]) -> Up:
    """Deploy `plan`; then reconcile, and start by `warm` a worker of every function that people wait for, all at once.

    Raises LocalStackError when it cannot be deployed.
    """
    deployed = deploy(clients, plan)
    _empty_queues(clients, deployed)
    bucket = deployed.outputs.get("BucketName") or plan.parameters.get("BucketName", "towline")
    _forget_old_notes(clients, bucket)
    return Up(deployed, bucket, _start_functions(clients, deployed, warm))


def _empty_queues(clients: Clients, deployed: Deployed) -> None:
    """Drop messages that a killed stack had saved: one that was being worked on would hold up its group until its
    visibility timeout is over. Every message stands for an object that nobody has dealt with, and reconciling finds
    those."""
    for output in QUEUE_OUTPUTS:
        if output in deployed.outputs:
            clients("sqs").purge_queue(QueueUrl=deployed.outputs[output])


def _forget_old_notes(clients: Clients, bucket: str) -> None:
    """Drop the old versions of Reconcile's note, which it writes with every run: on AWS a lifecycle rule does that."""
    s3 = clients("s3")
    versions = s3.list_object_versions(Bucket=bucket, Prefix=LAST_RUN).get("Versions", ())
    for version in versions:
        if not version["IsLatest"]:
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


def _start_functions(clients: Clients, deployed: Deployed, warm: Callable[[str], Complaint]) -> tuple[str, ...]:
    """The complaints. None is a reason not to start: the table can be read, and a proposal whose function
    fails is tried again and then kept in a dead-letter queue."""
    reconcile = deployed.outputs.get(RECONCILE_OUTPUT)
    waited_for = (name for id, name in deployed.functions.items() if id not in ON_DEMAND)
    tasks = [partial(warm, name) for name in waited_for if name != reconcile]
    if reconcile:
        tasks.append(partial(_reconcile, clients, reconcile))
    with ThreadPoolExecutor(max_workers=max(1, len(tasks))) as pool:
        complaints = pool.map(lambda task: task(), tasks)
    return tuple(complaint for complaint in complaints if complaint)


def _reconcile(clients: Clients, function: str) -> Complaint:
    """Invoke the function and wait for it."""
    try:
        answer = clients("lambda").invoke(FunctionName=function, Payload=json.dumps(RECONCILE).encode())
    except (ClientError, BotoCoreError) as error:
        return f"{_NOT_RECONCILED}: {error}"
    if "FunctionError" in answer:
        return f"{_NOT_RECONCILED}: {answer['Payload'].read().decode(errors='replace')[:400]}"
    return None
