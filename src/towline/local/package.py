"""A template with local paths -> the same template with uploaded artifacts, and nothing else changed.

This is what `aws cloudformation package` does, without the build step that AWS needs: the local function
workers run on this interpreter, which has towline and its dependencies installed.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from towline.errors import LocalStackError

# resource type -> the property that names a local file or directory
_URIS = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
# Zip files carry times; a constant one makes equal contents equal bytes, and so equal keys.
_EPOCH = (1980, 1, 1, 0, 0, 0)

Upload = Callable[[str, bytes], str]


def package(template: Path, upload: Upload) -> dict[str, Any]:
    """Read `template`, upload what it names locally and return it, with those URIs replaced.

    `upload(name, body)` stores an artifact under a name that contains its hash and returns its URI.
    Raises LocalStackError where the template or something it names cannot be read.
    """
    document = read_template(template)
    for logical_id, resource in document["Resources"].items():
        uri = _URIS.get(resource.get("Type"))
        named = resource.get("Properties", {}).get(uri) if uri else None
        if isinstance(named, str) and not named.startswith(("s3://", "https://")):
            body = _artifact(template.parent / named, resource, logical_id)
            resource["Properties"][uri] = upload(f"{hashlib.sha256(body).hexdigest()[:32]}{_ending(uri)}", body)
    return document


def read_template(file: Path) -> dict[str, Any]:
    """A CloudFormation template as plain values, its short tags (!Ref, !Sub, ...) in their long form."""
    try:
        document = yaml.load(file.read_text(), _TEMPLATE_LOADER)  # noqa: S506 - a SafeLoader, see below
    except (OSError, yaml.YAMLError) as error:
        raise LocalStackError(f"the template {file} cannot be read: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise LocalStackError(f"the template {file} has no Resources")
    return document


def _artifact(source: Path, resource: dict[str, Any], logical_id: str) -> bytes:
    if not source.exists():
        raise LocalStackError(f"{logical_id} in the template names {source}, which does not exist")
    if "BuildMethod" in resource.get("Metadata", {}):
        # Built for Lambda from the lock file. Workers here import the same packages from this interpreter's
        # site-packages, so the layer need only exist.
        return zipped(iter([("python/README", b"Local function workers import from the interpreter that runs them.")]))
    return source.read_bytes() if source.is_file() else zipped(_files(source))


def zipped(files: Iterator[tuple[str, bytes]]) -> bytes:
    """A zip archive of (name, body), the same bytes for the same files."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for name, body in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            out.writestr(entry, body)
    return archive.getvalue()


def _files(directory: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(directory.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc":
            yield file.relative_to(directory).as_posix(), file.read_bytes()


def _ending(uri: str | None) -> str:
    return ".json" if uri == "DefinitionUri" else ".zip"


def _short_tag(loader: Any, suffix: str, node: Any) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 - YAML has these three
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


def _template_loader() -> Any:
    """A safe loader that knows CloudFormation's short tags and takes dates for the strings they are."""
    loader: Any = type("TemplateLoader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", _short_tag)
    loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return loader


_TEMPLATE_LOADER = _template_loader()


def as_json(document: dict[str, Any]) -> str:
    """The template's text as it is deployed: equal templates, equal text."""
    return json.dumps(document, sort_keys=False, separators=(",", ":"))
