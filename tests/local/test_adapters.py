"""Every hook has its place in the MiniStack that is pinned, and does what it is there for."""

from __future__ import annotations

import ast
import importlib.metadata
import logging
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.needs import need
from towline.local import adapters
from towline.local.adapters import MINISTACK_VERSION, StorageWatch, name_exception


@cache
def source(module: str) -> str:
    """The text of a module of MiniStack's; it is not imported, because that reads the environment."""
    spec = find_spec("ministack")
    need(spec, "MiniStack is not installed (uv sync --group local)")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / f"{module}.py").read_text()


@cache
def top_level(module: str) -> dict[str, ast.stmt]:
    """The functions, classes and assigned names of a module."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(source(module)).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: node for alias in node.names}
    return found


def test_the_pinned_version_is_the_one_that_is_installed() -> None:
    need(find_spec("ministack"), "MiniStack is not installed (uv sync --group local)")
    assert importlib.metadata.version("ministack") == MINISTACK_VERSION
    adapters.check_version()


@pytest.mark.parametrize(
    ("module", "function", "arguments"),
    [
        ("services/lambda_svc", "_execute_function_dispatch", ["func", "config", "event", "request_id", "started"]),
        ("services/lambda_svc", "_sqs_esm_concurrency", ["esm", "func_rec", "config", "queue"]),
        ("services/s3", "_persist_object", ["bucket", "key", "obj"]),
        ("services/s3", "_object_disk_path", ["bucket", "key", "account_id"]),
        ("services/s3", "_object_meta_from_record", ["obj"]),
        ("services/s3", "_key_history_meta", ["bucket_name", "key"]),
        ("services/s3", "_other_key_disk_path", ["base", "key", "fpath"]),
        ("services/s3", "_remove_key_files", ["fpath"]),
        ("services/s3", "_bucket_has_versions", ["name"]),
        ("services/cloudformation/provisioners", "_s3_create", ["logical_id", "props", "stack_name"]),
        (
            "services/cloudformation/provisioners",
            "_s3_update",
            ["physical_id", "old_props", "new_props", "stack_name"],
        ),
        ("services/cloudformation/provisioners", "_s3_delete", ["physical_id", "props"]),
        ("services/cloudformation/provisioners", "s3_bucket_name_conflict", ["name"]),
        (
            "core/lambda_runtime",
            "acquire_worker",
            ["func_name", "config", "code_zip", "qualifier", "max_concurrency"],
        ),
        ("core/lambda_runtime", "ensure_spawned", ["worker"]),
        ("core/lambda_runtime", "release_worker", ["worker"]),
        ("core/lambda_runtime", "reset", []),
        ("services/s3", "_put_object", ["bucket_name", "key", "body", "headers"]),
        ("services/s3", "_get_object", ["bucket_name", "key", "headers", "query_params"]),
        ("services/s3", "_upload_part_copy", ["bucket_name", "dest_key", "query_params", "headers"]),
        ("services/s3", "_read_body", ["bucket_name", "key", "obj"]),
        ("services/s3", "_version_body", ["bucket", "bucket_name", "key", "v"]),
        ("services/s3", "_version_file_exists", ["bucket_name", "key", "version_id", "account_id"]),
        ("services/s3", "_version_disk_path", ["bucket", "key", "version_id", "account_id"]),
        ("services/s3", "_parse_range", ["range_header", "total"]),
        ("services/s3", "_get_object_data", ["bucket_name", "key", "version_id"]),
        ("services/glue", "_create_table", ["data"]),
        ("services/glue", "_delete_table", ["data"]),
        ("services/glue", "_batch_create_partition", ["data"]),
        ("services/glue", "_delete_partition", ["data"]),
        ("services/eventbridge", "_put_events", ["data", "allow_aws_source"]),
        ("services/athena", "_start_query_execution", ["data"]),
        ("services/athena", "_stop_query_execution", ["data"]),
        ("services/athena", "_get_query_execution", ["data"]),
        ("services/athena", "_list_query_executions", ["data"]),
        ("services/athena", "_get_query_results", ["data"]),
        ("services/athena", "_restore_state", ["data"]),
        ("services/athena", "_ensure_default_workgroup", []),
        ("services/athena", "_parse_ddl", ["query"]),
        ("services/athena", "_create_table_input", ["ddl"]),
        ("services/stepfunctions", "_execute_task", ["state_def", "raw_input", "execution", "ctx"]),
        ("services/stepfunctions", "_invoke_resource_with_timeout", ["resource", "input_data", "timeout"]),
        ("services/stepfunctions", "_fail_execution", ["execution", "error", "cause"]),
        ("services/stepfunctions", "_invoke_with_callback", ["resource", "input_data", "token", "state_def"]),
        ("services/stepfunctions", "_call_lambda", ["func_ref", "event"]),
        (
            "core/iam_evaluator",
            "enforce",
            ["access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"],
        ),
        ("core/responses", "json_response", ["data", "status"]),
        ("core/responses", "error_response_json", ["code", "message", "status", "extra"]),
        ("core/persistence", "save_all", ["services"]),
        ("app", "_build_persistence_save_dict", []),
    ],
)
def test_a_function_that_is_hooked_or_called_is_as_we_know_it(module: str, function: str, arguments: list[str]) -> None:
    node = top_level(module)[function]
    assert isinstance(node, ast.FunctionDef)
    assert [argument.arg for argument in node.args.args] == arguments


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("app", "app"),
        ("app", "save_all"),
        ("app", "BANNER"),
        ("app", "_MAIN_LOOP"),
        ("app", "AUTH"),
        ("core/iam_evaluator", "_verified_key"),
        ("core/persistence", "STATE_DIR"),
        ("services/lambda_svc", "CODE_BLOB_DIR"),
        ("services/lambda_svc", "_ESM_IDLE_WAKE_GAP_SECONDS"),
        ("services/lambda_svc", "_functions"),
        ("services/cloudwatch_logs", "_log_groups"),
        ("services/s3", "DATA_DIR"),
        ("services/s3", "_buckets"),
        ("services/s3", "logger"),
        ("services/cloudformation/provisioners", "_RESOURCE_HANDLERS"),
        ("services/glue", "_databases"),
        ("services/glue", "_tables"),
        ("services/glue", "_partitions"),
        ("services/athena", "_executions"),
        ("services/athena", "_workgroups"),
        ("services/athena", "_Cursor"),
        ("services/athena", "_DropTable"),
        ("services/athena", "_STORED_AS"),
        ("services/stepfunctions", "_SERVICE_DISPATCH"),
        ("services/stepfunctions", "_ExecutionError"),
    ],
)
def test_a_name_that_is_replaced_or_read_is_there(module: str, name: str) -> None:
    assert name in top_level(module)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        # looked up at each use, so that replacing it takes effect
        ("services/lambda_svc", "time.sleep(_ESM_IDLE_WAKE_GAP_SECONDS)"),
        ("services/lambda_svc", "return _execute_function_dispatch(func, config, event, request_id, started)"),
        ("app", "save_all(_build_persistence_save_dict())"),
        ("services/athena", '"StartQueryExecution": _start_query_execution'),
        ("services/athena", '"StopQueryExecution": _stop_query_execution'),
        ("services/athena", '"GetQueryResults": _get_query_results'),
        ("services/athena", '"ListQueryExecutions": _list_query_executions'),
        ("services/athena", "return _restore_state(data)"),
        ("services/stepfunctions", "for prefix, handler in _SERVICE_DISPATCH.items():"),
        ("services/stepfunctions", "return handler(resource, input_data)"),
        # what a function that was given a token fails, and what is left of its error in stock
        ("services/stepfunctions", "_task_tokens[token] = {"),
        (
            "services/stepfunctions",
            "            _call_lambda(func_ref, lambda_payload)\n        except _ExecutionError:",
        ),
        ("services/stepfunctions", 'if info.get("error"):'),
        ("services/stepfunctions", '"Task": _execute_task'),
        ("services/stepfunctions", "task_result = _invoke_resource_with_timeout("),
        ("services/stepfunctions", "_fail_execution(execution, err.error, err.cause)"),
        # the pause that Clock leaves out, and the only one of that length
        ("services/stepfunctions", "    time.sleep(0.15)\n"),
        # what an execution that does not run any more is told by
        ("services/stepfunctions", 'while current_name and execution["status"] == "RUNNING":'),
        # whose rights a query has
        ("core/iam_evaluator", "_verified_key.set(access_key_id)"),
        # the loop on which on_loop changes the services' stores
        ("app", "_MAIN_LOOP = asyncio.get_running_loop()"),
        # what StorageWatch listens for
        ("services/s3", 'logger.warning("Failed to persist S3 object %s/%s: %s"'),
        ("services/s3", 'logger.warning("Failed to persist S3 object version %s/%s: %s"'),
        ("services/s3", 'logger.warning("Failed to persist S3 delete marker %s/%s: %s"'),
        ("services/s3", 'logger.warning("Failed to delete persisted S3 object %s/%s: %s"'),
        ("services/s3", 'logger.warning("Failed to read persisted S3 object %s/%s: %s"'),
        # a body is only measured and cut where a range is asked for
        ("services/s3", "slice_body = body[start : end + 1]"),
        ("services/s3", "src_body = src_body[start : end + 1]"),
        # the loader passes our unfinished files over
        ("services/s3", 'not fname.endswith(".tmp")'),
        # what name_exception takes for "some exception", and the traceback that it finds the class in
        ("services/lambda_svc", 'error_type = "Runtime.HandlerError"'),
        ("core/lambda_runtime", '"error": str(e), "trace": traceback.format_exc()'),
        ("core/lambda_runtime", '"error": "Worker process died"'),
        # a function's worker talks to us unless it is told otherwise
        ("core/lambda_runtime", 'if "AWS_ENDPOINT_URL" not in spawn_env:'),
        ("services/cloudformation/provisioners", '"create": _s3_create, "update": _s3_update, "delete": _s3_delete'),
    ],
)
def test_the_code_around_a_hook_is_as_we_know_it(module: str, text: str) -> None:
    assert text in source(module)


def failed(message: str, log: str, kind: str = "Runtime.HandlerError") -> dict[str, object]:
    return {"error": True, "body": {"errorType": kind, "errorMessage": message}, "log": log}


@pytest.mark.parametrize(
    ("message", "last", "name"),
    [
        ("boom", "ValueError: boom", "ValueError"),
        ("boom", "towline.errors.LostRace: boom", "LostRace"),
        ("", "KeyError", "KeyError"),
        ("'Records'", "KeyError: 'Records'", "KeyError"),
        ("a: b\nErr: c\n", "mod.Sub.Multi: a: b\nErr: c\n", "Multi"),
    ],
)
def test_an_exception_goes_by_the_name_of_its_class(message: str, last: str, name: str) -> None:
    trace = f'a line of output\nTraceback (most recent call last):\n  File "app.py", line 1, in handler\n{last}'
    named = name_exception(failed(message, trace))
    assert named["body"] == {"errorType": name, "errorMessage": message}


@pytest.mark.parametrize(
    "result",
    [
        {"body": {"ok": True}},
        {"body": None},
        failed("Task timed out after 3.00 seconds", "", "Sandbox.Timedout"),
        failed("boom", "no traceback here at all"),
    ],
)
def test_what_is_not_a_handlers_exception_stays_as_it_is(result: dict[str, object]) -> None:
    assert name_exception(result) == result


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> tuple[logging.Logger, list[str]]:
    died: list[str] = []
    monkeypatch.setattr(adapters, "_die", died.append)
    logger = logging.Logger("s3")
    logger.addHandler(StorageWatch(level=logging.WARNING))
    return logger, died


def test_a_write_that_the_disk_refused_ends_the_stack(watched: tuple[logging.Logger, list[str]]) -> None:
    logger, died = watched
    logger.warning("Failed to persist S3 object %s/%s: %s", "towline", "key", "No space left on device")
    logger.warning("Failed to delete persisted S3 object %s/%s: %s", "towline", "key", "Input/output error")
    assert died == [
        "Failed to persist S3 object towline/key: No space left on device",
        "Failed to delete persisted S3 object towline/key: Input/output error",
    ]


def test_a_read_that_failed_is_no_empty_object(watched: tuple[logging.Logger, list[str]]) -> None:
    logger, died = watched
    with pytest.raises(OSError, match="Too many open files"):
        logger.warning("Failed to read persisted S3 object %s/%s: %s", "towline", "key", "Too many open files")
    assert not died


def test_other_warnings_are_only_logged(watched: tuple[logging.Logger, list[str]]) -> None:
    logger, died = watched
    logger.warning("S3 event to %s failed", "a queue")
    assert not died
