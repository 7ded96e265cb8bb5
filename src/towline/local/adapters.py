"""Our hooks into MiniStack: private names of one exact version, each with the reason it is needed.

`tests/local/test_adapters.py` holds each hook point against the installed source. `install` refuses any other
version, so that an upgrade is a decision: read the hooks, run their tests, then change MINISTACK_VERSION.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import os
from typing import Any

from towline.errors import LocalStackError
from towline.local import athena, callbacks, iam, pairs, slices
from towline.local.environment import ACCOUNT
from towline.settings import DEFAULT_REGION

MINISTACK_VERSION = "1.5.33"
# How long the queue poller rests after a wake-up that found nothing. Stock: 50 ms, felt at each hand-over.
IDLE_GAP_SECONDS = 0.002

_LOST_WRITE = ("Failed to persist", "Failed to delete persisted")
_LOST_READ = "Failed to read persisted"
_WORKER_DIED = "Worker process died"

log = logging.getLogger("towline.adapters")


def check_version() -> None:
    """Raise LocalStackError where MiniStack is missing or is not the version the hooks were written for."""
    try:
        found = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        raise LocalStackError(
            "the local stack needs MiniStack, which is not installed here: run `uv sync --group local`, or, to work on "
            "a real bucket, export S3_BUCKET and AWS_PROFILE"
        ) from None
    if found != MINISTACK_VERSION:
        raise LocalStackError(
            f"MiniStack {found} is installed, and Towline's hooks fit {MINISTACK_VERSION} only: run `uv sync --group "
            f"local`, or `pip install ministack=={MINISTACK_VERSION}`"
        )


def install() -> None:
    """Hook into MiniStack, in this process. Its environment must be complete: the import reads it."""
    check_version()
    _wake_quickly()
    _share_processors()
    _report_faults()
    _keep_pairs_whole()
    _distrust_storage()
    _adopt_buckets()
    slices.install()
    _check_copies()
    _greet_briefly()
    iam.install()
    athena.install()
    callbacks.install()


def _check_copies() -> None:
    """Hold a copy to its conditions, as S3 does: stock writes over what is there, so that of two files that come to one
    bronze key at the same time only the second would be seen."""
    from ministack.services import s3

    stock = s3._copy_object

    def copy(bucket_name: str, dest_key: str, headers: dict[str, str]) -> Any:
        bucket = s3._ensure_bucket(bucket_name) or {}
        refused = s3._check_put_preconditions(headers, bucket.get("objects", {}).get(dest_key))
        return refused or stock(bucket_name, dest_key, headers)

    s3._copy_object = copy


def _wake_quickly() -> None:
    from ministack.services import lambda_svc

    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = IDLE_GAP_SECONDS


def _share_processors() -> None:
    """Let no more runs go on at once of what works on files by the thousand than half of the processors can: each is a
    process here. Those are the functions whose template bounds how many run at once; the bound is AWS's, and higher.
    """
    from ministack.services import lambda_svc

    stock, here = lambda_svc._sqs_esm_concurrency, max(1, (os.cpu_count() or 1) // 2)

    def shared(esm: dict[str, Any], *more: Any) -> int:
        allowed: int = stock(esm, *more)
        return min(allowed, here) if esm.get("ScalingConfig") else allowed

    lambda_svc._sqs_esm_concurrency = shared


def _report_faults() -> None:
    """Report a handler's exception by its class, as Lambda does, and a function without code as a fault.

    Stock says Runtime.HandlerError of every exception, so a Retry or Catch by class would never match; and it
    answers for a function that has lost its code, whereupon the queue's messages count as processed.
    """
    from ministack.services import lambda_svc

    dispatch = lambda_svc._execute_function_dispatch

    def reporting(func: Any, config: Any, event: Any, request_id: str, started: float) -> Any:
        if not func.get("code_zip"):
            return {"error": True, "body": {"errorType": "Runtime.NoCode", "errorMessage": "no code is deployed"}}
        return name_exception(dispatch(func, config, event, request_id, started))

    lambda_svc._execute_function_dispatch = reporting


def name_exception(result: dict[str, Any]) -> dict[str, Any]:
    """`result` with the exception's class as its errorType, where its log ends in that exception's traceback, and with
    Lambda's word for a worker that ended instead of answering."""
    body = result.get("body")
    if not isinstance(body, dict) or body.get("errorType") != "Runtime.HandlerError":
        return result
    if body.get("errorMessage") == _WORKER_DIED:
        return {**result, "body": {**body, "errorType": "Runtime.ExitError"}}
    # The traceback ends in `module.Class: message`, and the message, which may have many lines, is known.
    trace = str(result.get("log", "")).rstrip()
    raised = trace.removesuffix(str(body.get("errorMessage", "")).rstrip()).rstrip(": \n").rsplit("\n", 1)[-1]
    name = raised.rsplit(".", 1)[-1]
    return {**result, "body": {**body, "errorType": name}} if name.isidentifier() else result


def warm(function: str) -> str | None:
    """Start a worker for a function, as SnapStart does: its module is imported, its handler is not called.

    A cold worker costs the first proposal a second of imports. Returns what went wrong, if anything did.
    """
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    record = lambda_svc._functions.get_scoped(ACCOUNT, DEFAULT_REGION, function)
    worker, _ = lambda_runtime.acquire_worker(function, record["config"], record["code_zip"])
    try:
        lambda_runtime.ensure_spawned(worker)
    except RuntimeError as error:
        return f"{function} does not start: {error}"
    finally:
        lambda_runtime.release_worker(worker)
    return None


def _keep_pairs_whole() -> None:
    """Write an object's body and sidecar as one (see pairs.py); stock replaces one, then the other."""
    from ministack.services import s3

    stock = s3._persist_object

    def persist(bucket: str, key: str, obj: Any) -> None:
        if not isinstance(obj, dict) or obj.get("body") is None:
            stock(bucket, key, obj)  # one file only
            return
        try:
            _persist_pair(s3, bucket, key, obj)
        except Exception as error:  # whatever it is, the object is in memory only
            s3.logger.warning("Failed to persist S3 object %s/%s: %s", bucket, key, error)

    s3._persist_object = persist


def _persist_pair(s3: Any, bucket: str, key: str, obj: dict[str, Any]) -> None:
    path: str = s3._object_disk_path(bucket, key)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    meta = {**s3._object_meta_from_record(obj), **s3._key_history_meta(bucket, key), "key": key}
    pairs.write(path, obj["body"], json.dumps(meta))
    obj["body"] = None  # it is read from disk from here on
    base = os.path.join(s3.DATA_DIR, s3.get_account_id(), bucket)
    s3._remove_key_files(s3._other_key_disk_path(base, key, path))


def _distrust_storage() -> None:
    from ministack.services import s3

    s3.logger.addHandler(StorageWatch(level=logging.WARNING))


class StorageWatch(logging.Handler):
    """Acts on what MiniStack only logs.

    It answers 200 to a write that the disk refused, and an empty body to a read that failed. A stack whose
    memory disagrees with its disk must not answer at all, so a lost write ends the process: the caller
    sees a dropped connection, which it takes for an unknown outcome, and the next start is true to the
    disk. A failed read is raised, and becomes a 500.
    """

    def emit(self, record: logging.LogRecord) -> None:
        if str(record.msg).startswith(_LOST_WRITE):
            _die(record.getMessage())
        if str(record.msg).startswith(_LOST_READ):
            raise OSError(record.getMessage())


def _die(reason: str) -> None:
    log.critical("the disk refused a write, so the stack stops rather than answer untruly: %s", reason)
    logging.shutdown()
    os._exit(70)


def _adopt_buckets() -> None:
    """Let CloudFormation create a bucket that exists, and never let it delete one that holds objects.

    Objects outlive the services' state (see state.py), so a stack deployed anew meets its own bucket. Stock
    refuses that on create, and on delete drops the bucket from memory with all it holds; AWS refuses.
    """
    from ministack.services import s3
    from ministack.services.cloudformation import provisioners

    create, delete = provisioners._s3_create, provisioners._s3_delete

    def create_or_adopt(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        name = props.get("BucketName")
        if name and name in s3._buckets:
            return provisioners._s3_update(name, {}, props, stack_name)
        return create(logical_id, props, stack_name)

    def delete_if_empty(name: str, props: dict[str, Any]) -> Any:
        if name in s3._buckets and (s3._buckets[name]["objects"] or s3._bucket_has_versions(name)):
            raise ValueError(f"The bucket you tried to delete is not empty: {name}")
        return delete(name, props)

    provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"].update(create=create_or_adopt, delete=delete_if_empty)
    provisioners.s3_bucket_name_conflict = lambda name: None


def _greet_briefly() -> None:
    """One line in the log instead of a screen, which would be all that the end of a log shows."""
    from ministack import app

    app.BANNER = f"MiniStack {MINISTACK_VERSION} on port {{port}}"
