"""Deploy the project's own template into the running stack, by CloudFormation, as on AWS.

What is deployed is compared with what should be: the same template text and parameters mean there is
nothing to do. Artifacts are named by their hash, so changed code is a changed template.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from towline import resources
from towline.aws import session
from towline.errors import LocalStackError
from towline.local.package import as_json, package
from towline.settings import DEFAULT_REGION, LOCAL_ACCESS_KEY, LOCAL_SECRET_KEY

STACK, ARTIFACTS = "towline", "towline-artifacts"

_POLL_SECONDS, _WAIT_SECONDS = 0.05, 60
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
# A stack in one of these can be updated; in any other that is not in progress it has to be made anew.
_UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


@dataclass(frozen=True)
class Plan:
    """What to deploy: a template file and its parameters."""

    template: Path
    parameters: Mapping[str, str]

    @classmethod
    def of_project(cls) -> Plan:
        """The checkout's template with the parameters of config/local.env."""
        return cls(resources.path("template.yaml"), read_parameters(resources.path("config", "local.env")))


@dataclass(frozen=True)
class Deployed:
    """A stack that stands. `functions` maps logical ids to function names; `changed` is False where there
    was nothing to do."""

    outputs: Mapping[str, str]
    functions: Mapping[str, str]
    changed: bool


def read_parameters(file: Path) -> dict[str, str]:
    """NAME=value lines -> template parameters. Empty lines and those that begin with # are comments."""
    lines = (line.strip() for line in file.read_text().splitlines())
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


class Clients:
    """boto3 clients for one endpoint on this machine, made when they are first asked for."""

    def __init__(self, endpoint: str, *, read_timeout: float = 330) -> None:
        self._session = session((LOCAL_ACCESS_KEY, LOCAL_SECRET_KEY), DEFAULT_REGION)
        config = Config(read_timeout=read_timeout, retries={"total_max_attempts": 1})
        self._options = {"endpoint_url": endpoint, "config": config}
        self.endpoint = endpoint

    def __call__(self, service: str) -> Any:
        return self._session.client(service, **self._options)


def deploy(clients: Clients, plan: Plan) -> Deployed:
    """Make the stack `towline` what `plan` says. Raises LocalStackError with CloudFormation's reason."""
    try:
        return _deploy(clients, plan)
    except (ClientError, BotoCoreError) as error:
        raise LocalStackError(f"{plan.template.name} could not be deployed: {error}") from error


def _deploy(clients: Clients, plan: Plan) -> Deployed:
    artifacts, cloudformation = _Artifacts(clients("s3")), clients("cloudformation")
    template = package(plan.template, artifacts.upload)
    text, parameters = as_json(template), dict(plan.parameters)
    standing = _describe(cloudformation)
    changed = not (standing and _is_deployed(cloudformation, standing, text, parameters))
    if changed:
        request = {
            "StackName": STACK,
            "TemplateURL": artifacts.publish(clients.endpoint, text),
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            "Capabilities": _CAPABILITIES,
        }
        standing = _apply(cloudformation, standing, request)
    assert standing is not None  # noqa: S101 - it was there, or _apply made it
    outputs = {output["OutputKey"]: output["OutputValue"] for output in standing.get("Outputs", [])}
    return Deployed(outputs, _functions(cloudformation), changed)


def _apply(cloudformation: Any, standing: dict[str, Any] | None, request: dict[str, Any]) -> dict[str, Any]:
    """Create or update the stack and wait for it; return its description."""
    if standing and standing["StackStatus"] in _UPDATABLE:
        return _update(cloudformation, standing, request)
    if standing:  # left half-made by a failure: nothing in it can be relied on; the data stays (see adapters.py)
        cloudformation.delete_stack(StackName=STACK)
        _wait(cloudformation, None)
    cloudformation.create_stack(**request)
    return _wait(cloudformation, "CREATE_COMPLETE")


def _update(cloudformation: Any, standing: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" in str(error):  # the text differs, its meaning does not
            return standing
        raise
    return _wait(cloudformation, "UPDATE_COMPLETE")


def _wait(cloudformation: Any, wanted: str | None) -> dict[str, Any]:
    """Wait until the stack is at rest. Raises LocalStackError where that is not the status `wanted` (None: gone)."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        standing = _describe(cloudformation)
        status = standing["StackStatus"] if standing else None
        if status == wanted:
            return standing or {}
        if not (status or "").endswith("_IN_PROGRESS"):
            raise LocalStackError(f"the template could not be deployed ({status}): {_reason(cloudformation)}")
        time.sleep(_POLL_SECONDS)
    raise LocalStackError(f"the template was not deployed within {_WAIT_SECONDS} s; see logs/stack.log")


def _describe(cloudformation: Any) -> dict[str, Any] | None:
    """The stack as CloudFormation describes it; None where there is none."""
    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # CloudFormation's word for "does not exist"
            return None
        raise
    return None if found["StackStatus"] == "DELETE_COMPLETE" else found


def _is_deployed(cloudformation: Any, standing: dict[str, Any], text: str, parameters: Mapping[str, str]) -> bool:
    given = {p["ParameterKey"]: p["ParameterValue"] for p in standing.get("Parameters", [])}
    if standing["StackStatus"] not in _UPDATABLE or any(given.get(k) != v for k, v in parameters.items()):
        return False
    deployed = cloudformation.get_template(StackName=STACK, TemplateStage="Original")["TemplateBody"]
    return bool((deployed if isinstance(deployed, str) else as_json(deployed)) == text)


def _reason(cloudformation: Any) -> str:
    """Why the last operation failed: the first resource that failed, and what CloudFormation says of it."""
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]  # newest first
    failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    own = [event for event in failed if event["LogicalResourceId"] != STACK] or failed
    if not own:
        return "CloudFormation gives no reason; see logs/stack.log"
    first = own[-1]
    reason = first.get("ResourceStatusReason", "no reason given")
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {reason}"


def _functions(cloudformation: Any) -> dict[str, str]:
    found = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in found
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }


class _Artifacts:
    """The bucket that code and templates are deployed from."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        if not self._exists(Bucket=ARTIFACTS):
            s3.create_bucket(Bucket=ARTIFACTS)

    def upload(self, name: str, body: bytes) -> str:
        """Store an artifact under its name, which contains its hash, and return its s3:// URI."""
        if not self._exists(Bucket=ARTIFACTS, Key=name):
            self._s3.put_object(Bucket=ARTIFACTS, Key=name, Body=body)
        return f"s3://{ARTIFACTS}/{name}"

    def publish(self, endpoint: str, template: str) -> str:
        """Store the template, which may be too long for a request, and return the URL to deploy it from."""
        self._s3.put_object(Bucket=ARTIFACTS, Key="template.json", Body=template.encode())
        return f"{endpoint}/{ARTIFACTS}/template.json"

    def _exists(self, **named: str) -> bool:
        try:
            (self._s3.head_object if "Key" in named else self._s3.head_bucket)(**named)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise
        return True
