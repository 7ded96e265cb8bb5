"""A template is packaged by replacing what it names locally, and nothing else."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.local_stack import SMALL
from towline.errors import LocalStackError
from towline.local.deploy import Plan, read_parameters
from towline.local.package import as_json, package, read_template


class Shelf:
    """Takes artifacts."""

    def __init__(self) -> None:
        self.artifacts: dict[str, bytes] = {}

    def __call__(self, name: str, body: bytes) -> str:
        self.artifacts[name] = body
        return f"s3://shelf/{name}"

    def files(self, uri: str) -> dict[str, bytes]:
        with zipfile.ZipFile(io.BytesIO(self.artifacts[uri.removeprefix("s3://shelf/")])) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A template beside a function, a built layer and a state machine."""
    (tmp_path / "code" / "__pycache__").mkdir(parents=True)
    (tmp_path / "code" / "app.py").write_text("handler = None\n")
    (tmp_path / "code" / "__pycache__" / "app.pyc").write_bytes(b"compiled")
    (tmp_path / "layer").mkdir()
    (tmp_path / "machine.asl.json").write_text('{"StartAt": "A"}')
    template = tmp_path / "template.yaml"
    template.write_text(
        """
AWSTemplateFormatVersion: 2010-09-09
Conditions:
  Big: !Equals [!Ref Size, "1"]
Resources:
  Layer:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: makefile}
    Properties: {ContentUri: layer}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code/
      Role: !GetAtt Role.Arn
      Name: !Sub "${AWS::StackName}-x"
      Size: !If [Big, !Join ["", [a, !Ref B]], !Select [0, !GetAZs ""]]
      Since: 2012-10-17
  Elsewhere:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: s3://shelf/other.zip}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: machine.asl.json}
  Bucket:
    Type: AWS::S3::Bucket
"""
    )
    return template


def test_short_tags_and_dates_are_what_cloudformation_takes_them_for(project: Path) -> None:
    template = read_template(project)
    assert template["AWSTemplateFormatVersion"] == "2010-09-09"
    assert template["Conditions"] == {"Big": {"Fn::Equals": [{"Ref": "Size"}, "1"]}}
    properties = template["Resources"]["Function"]["Properties"]
    assert properties["Since"] == "2012-10-17"
    assert properties["Role"] == {"Fn::GetAtt": ["Role", "Arn"]}
    assert properties["Name"] == {"Fn::Sub": "${AWS::StackName}-x"}
    assert properties["Size"] == {
        "Fn::If": ["Big", {"Fn::Join": ["", ["a", {"Ref": "B"}]]}, {"Fn::Select": [0, {"Fn::GetAZs": ""}]}]
    }


def test_only_local_uris_are_replaced(project: Path, shelf: Shelf) -> None:
    before, after = read_template(project), package(project, shelf)
    uris = {}
    for name, uri in (("Layer", "ContentUri"), ("Function", "CodeUri"), ("Machine", "DefinitionUri")):
        uris[name] = after["Resources"][name]["Properties"].pop(uri)
        before["Resources"][name]["Properties"].pop(uri)
    assert after == before
    assert shelf.files(uris["Function"]) == {"app.py": b"handler = None\n"}
    assert shelf.artifacts[uris["Machine"].removeprefix("s3://shelf/")] == b'{"StartAt": "A"}'
    assert list(shelf.files(uris["Layer"])) == ["python/README"]


def test_equal_code_is_the_same_artifact_and_changed_code_another(project: Path, shelf: Shelf) -> None:
    first = as_json(package(project, shelf))
    (project.parent / "code" / "app.py").touch()
    assert as_json(package(project, shelf)) == first
    (project.parent / "code" / "app.py").write_text("handler = 1\n")
    assert as_json(package(project, shelf)) != first


def test_code_that_is_not_there_is_named(project: Path, shelf: Shelf) -> None:
    (project.parent / "machine.asl.json").unlink()
    with pytest.raises(LocalStackError, match=r"Machine in the template names .*machine\.asl\.json, which does not"):
        package(project, shelf)


@pytest.mark.parametrize("text", ["{", "[1, 2]", "Parameters: {}", ""])
def test_a_template_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(text)
    with pytest.raises(LocalStackError, match=str(file)):
        read_template(file)


def test_parameters_are_read_from_lines(tmp_path: Path) -> None:
    file = tmp_path / "local.env"
    file.write_text('# for tests\n\nBucketName=towline\nGreeting = "a = b"\nEmpty=\n')
    assert read_parameters(file) == {"BucketName": "towline", "Greeting": "a = b", "Empty": ""}


@pytest.mark.parametrize("name", ["local.env", "aws.env"])
def test_the_parameters_in_config_are_parameters_of_the_template(name: str) -> None:
    declared = read_template(ROOT / "template.yaml")["Parameters"]
    given = read_parameters(ROOT / "config" / name)
    assert given.keys() <= declared.keys()
    for parameter, value in given.items():
        assert value in declared[parameter].get("AllowedValues", [value])


def test_the_projects_template_and_parameters_are_what_is_deployed() -> None:
    plan = Plan.of_project()
    assert plan.template == ROOT / "template.yaml"
    assert plan.parameters["BucketName"] == "towline"
    assert plan.parameters["AuthorSource"] == "path"


def test_the_small_template_can_be_packaged(shelf: Shelf) -> None:
    assert SMALL.template is not None
    assert json.loads(as_json(package(SMALL.template, shelf)))["Resources"]
    assert len(shelf.artifacts) == 3
