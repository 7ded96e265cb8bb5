"""The template as CloudFormation would see it for given parameters: intrinsics resolved, conditions applied.

Knows the functions that the template uses, and raises on any other.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from tests.conftest import ROOT
from towline.local.package import read_template

FILE = ROOT / "template.yaml"
REGION, ACCOUNT, STACK = "us-east-1", "123456789012", "towline"
BUCKET = "team-tows"

_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": STACK,
    "AWS::NoValue": None,
}
# What Ref answers with: an ARN for these, else the name.
_REF_IS_ARN = ("AWS::SNS::Topic", "AWS::IAM::ManagedPolicy", "AWS::Serverless::StateMachine")


class Template:
    """`resources` maps logical ids to (type, properties), resolved. Without parameters: those a real account gets."""

    def __init__(self, **parameters: str) -> None:
        self.document = read_template(FILE)
        defaults = {name: spec.get("Default") for name, spec in self.document["Parameters"].items()}
        self.parameters = {**defaults, "BucketName": BUCKET, **parameters}

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        declared = self.document["Resources"].items()
        return {name: self.resolve(spec) for name, spec in declared if self._stands(spec.get("Condition"))}

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Logical id -> properties of the resources of one type."""
        return {name: spec["Properties"] for name, spec in self.resources.items() if spec["Type"] == kind}

    @cached_property
    def functions(self) -> dict[str, dict[str, Any]]:
        """Logical id -> properties, with what Globals adds."""
        common = self.resolve(self.document["Globals"]["Function"])
        own = self.of_type("AWS::Serverless::Function")
        return {name: {**common, **props, "Environment": _merged(common, props)} for name, props in own.items()}

    def role_of(self, function: str) -> str:
        """The logical id of a function's role."""
        return str(self.functions[function]["Role"]).rsplit("/", 1)[-1]

    def queue_of(self, function: str) -> str | None:
        """The logical id of the queue that a function consumes."""
        events = self.functions[function].get("Events", {}).values()
        queues = [event["Properties"]["Queue"] for event in events if event["Type"] == "SQS"]
        return queues[0].rsplit(":", 1)[-1] if queues else None

    def statements(self, role: str) -> list[dict[str, Any]]:
        """All statements of a role: its inline policies and the managed ones of this template."""
        props = self.of_type("AWS::IAM::Role")[role]
        inline = [policy["PolicyDocument"] for policy in props.get("Policies", [])]
        managed = [self.managed(arn.rsplit("/", 1)[-1]) for arn in props.get("ManagedPolicyArns", [])]
        return [statement for document in (*inline, *managed) for statement in document["Statement"]]

    def managed(self, policy: str) -> dict[str, Any]:
        """The document of a managed policy of this template."""
        document: dict[str, Any] = self.of_type("AWS::IAM::ManagedPolicy")[policy]["PolicyDocument"]
        return document

    @property
    def bucket_policy(self) -> list[dict[str, Any]]:
        statements: list[dict[str, Any]] = self.resources["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        return statements

    def arn(self, name: str) -> str:
        """The ARN of the resource with this logical id."""
        return self._attribute(name, "Arn")

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [found for item in value if (found := self.resolve(item)) is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not None}

    def _call(self, name: str, argument: Any) -> Any:
        if name == "Ref":
            return self._ref(argument)
        if name == "Fn::GetAtt":
            return self._attribute(*argument)
        if name == "Fn::Sub":
            return re.sub(r"\$\{(!?)([^}]+)\}", self._substituted, argument)
        if name == "Fn::If":
            condition, then, otherwise = argument
            return self.resolve(then if self._stands(condition) else otherwise)
        raise AssertionError(f"{name} is not known to the tests of the template: teach it to {__name__}")

    def _ref(self, name: str) -> Any:
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self.parameters:
            listed = self.document["Parameters"][name]["Type"] == "CommaDelimitedList"
            return str(self.parameters[name]).split(",") if listed else self.parameters[name]
        kind = self.document["Resources"][name]["Type"]
        return self.arn(name) if kind in _REF_IS_ARN else name

    def _attribute(self, name: str, attribute: str) -> str:
        service = self.document["Resources"][name]["Type"].split("::")[1].lower()
        if attribute == "QueueName":
            return name
        assert attribute == "Arn", f"{name}.{attribute} is not known to the tests of the template"
        if service == "iam":
            return f"arn:aws:iam::{ACCOUNT}:role/{name}"
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"

    def _substituted(self, found: re.Match[str]) -> str:
        return f"${{{found[2]}}}" if found[1] else str(self._ref(found[2]))

    def _stands(self, condition: str | None) -> bool:
        return condition is None or self._holds(self.document["Conditions"][condition])

    def _holds(self, expression: dict[str, Any]) -> bool:
        ((name, argument),) = expression.items()
        if name == "Fn::Not":
            return not self._holds(argument[0])
        assert name == "Fn::Equals", f"{name} is not known to the tests of the template"
        left, right = (self._operand(item) for item in argument)
        return bool(left == right)

    def _operand(self, value: Any) -> Any:
        if isinstance(value, dict) and "Fn::Select" in value:
            index, items = value["Fn::Select"]
            return self._ref(items["Ref"])[index]
        return self.resolve(value)


def _merged(common: dict[str, Any], props: dict[str, Any]) -> dict[str, str]:
    """A function's whole environment, as it will find it."""
    return {**common["Environment"]["Variables"], **props.get("Environment", {}).get("Variables", {})}
