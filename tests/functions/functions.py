"""Handlers as Lambda imports and calls them, over a bucket in moto."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

import boto3
import pytest

from towline.store import Stat

ROOT = Path(__file__).parents[2]
# Lambda's runtime takes the limit from the environment, and gives it on as the text that it is.
CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb="128", invoked_function_arn="arn:aws:lambda:us-east-1:1:f", aws_request_id="r"
)


def bucket(monkeypatch: pytest.MonkeyPatch, *, is_versioned: bool = True, **more: str) -> None:
    """A bucket, and the environment of functions that work on it; `more` goes into that, too."""
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="towline")
    if is_versioned:
        s3.put_bucket_versioning(Bucket="towline", VersioningConfiguration={"Status": "Enabled"})
    environment = {
        "S3_BUCKET": "towline",
        "AUTHOR_SOURCE": "event",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "POWERTOOLS_METRICS_NAMESPACE": "Towline",
        "POWERTOOLS_SERVICE_NAME": "tests",
        **more,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def topic() -> str:
    """The ARN of a topic that was made."""
    return str(boto3.client("sns", region_name="us-east-1").create_topic(Name="outcomes")["TopicArn"])


def load(name: str) -> ModuleType:
    """A handler's module, fresh, as Lambda imports it."""
    spec = importlib.util.spec_from_file_location(f"{name}_app", ROOT / "functions" / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def example(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


def deliver(function: ModuleType, *stats: Stat) -> Any:
    """A batch with a message for each version."""
    batch = [
        {"messageId": str(number), "eventSource": "aws:sqs", "body": json.dumps({"Records": [event(stat)]})}
        for number, stat in enumerate(stats)
    ]
    return function.handler({"Records": batch}, CONTEXT)


def event(stat: Stat) -> dict[str, Any]:
    found = {"key": quote_plus(stat.key, safe="/"), "size": stat.size, "eTag": stat.etag, "versionId": stat.version}
    return {"userIdentity": {"principalId": "AWS:AROAEXAMPLE:ana"}, "s3": {"object": found}}
